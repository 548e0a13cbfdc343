// expect: Net has 65 members, more than the 64 that an aggregate may have: list them with LAMINA_MEMBERS(...)
#include <lamina/layers/linear.hpp>
#include <lamina/reflect/keys.hpp>

using namespace lamina;

struct Net {
  float a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0, l = 0, m = 0, n = 0, o = 0, p = 0;
  float q = 0, r = 0, s = 0, t = 0, u = 0, v = 0, w = 0, x = 0, y = 0, z = 0, A = 0, B = 0, C = 0, D = 0, E = 0, F = 0;
  float G = 0, H = 0, I = 0, J = 0, K = 0, L = 0, M = 0, N = 0, O = 0, P = 0, Q = 0, R = 0, S = 0, T = 0, U = 0, V = 0;
  float W = 0, X = 0, Y = 0, Z = 0, a1 = 0, b1 = 0, c1 = 0, d1 = 0, e1 = 0, f1 = 0, g1 = 0, h1 = 0, i1 = 0, j1 = 0;
#ifndef CONTROL
  float k1 = 0;
#endif
  Linear<8, 4> fc, fc1;
};
static_assert(parameter_count<Net> == 72);
