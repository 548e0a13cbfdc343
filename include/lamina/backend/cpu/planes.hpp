/// Images as planes of pixels: one channel each, or a block of 16 channels side by side.
#pragma once
#include "../../threads/share.hpp"
#include "rows.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

/// Floats of a pixel in a plane.
template <class Pointer> constexpr idx lanes_of(const OperandOf<Pointer>& x) {
  return x.layout == Layout::blocked ? channel_block : 1;
}

/// A blocked tensor [N, C, H, W] as the planar one that has the same elements in the same order: [N, C/16, H, W * 16].
template <class Operand> constexpr Operand as_planar(Operand x) {
  if (x.layout == Layout::blocked) {
    x.dims = {x.dims[0], divide_up(x.dims[1], channel_block), x.dims[2], x.dims[3] * channel_block};
    x.layout = Layout::planar;
  }
  return x;
}

/// The floats of a pixel in registers: one float, or vectors.
template <int Lanes> struct Registers {
  using type = vector;
  static constexpr int count = Lanes / vector_floats;
  static type get(const float* pixel, int i) { return load(pixel + i * vector_floats); }
  static void put(type v, float* pixel, int i) { store(v, pixel + i * vector_floats); }
};
template <> struct Registers<1> {
  using type = float;
  static constexpr int count = 1;
  static type get(const float* pixel, int) { return *pixel; }
  static void put(type v, float* pixel, int) { *pixel = v; }
};

/// Calls f.operator()<Lanes>(plane of the first input, plane of the output) for every item and channel or block of
/// channels, Lanes floats a pixel. Both have the same layout.
template <class F> void for_each_plane(const Call& call, const F& f) {
  const Input& x = call.in[0];
  const idx lanes = lanes_of(x), planes = divide_up(x.dims[1], lanes), all = x.dims[0] * planes;
  const idx from = x.dims[2] * x.dims[3] * lanes, to = call.out.dims[2] * call.out.dims[3] * lanes;
  threads::share(call.threads, all, 1, [&](int, threads::Work& work) {
    for (const idx i : work) {
      const float* const in = x.item(i / planes) + i % planes * from;
      float* const out = call.out.item(i / planes) + i % planes * to;
      if (lanes == 1) f.template operator()<1>(in, out);
      else f.template operator()<int(channel_block)>(in, out);
    }
  });
}

}  // namespace lamina::inline LAMINA_ISA::cpu
