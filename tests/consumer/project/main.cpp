#include <lamina.hpp>

using Model = lamina::Sequential<lamina::Linear<8, 4>, lamina::ReLU, lamina::Linear<4, 2>>;

static_assert(lamina::parameter_count<Model> == 8 * 4 + 4 + 4 * 2 + 2);

int main() {}
