/// Networks that between them have every kind of step that becomes a graph of cuDNN.
#pragma once
#include <lamina.hpp>
#include <tuple>

namespace networks {
using namespace lamina;

/// conv, batch norm, function: what follows a convolution goes into its graph.
template <int In, int Out, conv Options, class Function>
using Block = Sequential<Conv2d<In, Out, Options>, BatchNorm2d<Out>, Function>;
inline constexpr conv same3{.kernel_size = 3, .padding = 1};
inline constexpr conv strided3{.kernel_size = 3, .stride = 2, .padding = 1};

using Functions = Sequential<Block<8, 16, same3, ReLU>, Block<16, 16, same3, LeakyReLU<0.1>>,
                             Block<16, 16, same3, Sigmoid>, Block<16, 16, same3, Tanh>, Block<16, 16, same3, GELU<>>,
                             Block<16, 16, same3, GELU<"tanh">>, Block<16, 16, same3, SiLU>>;
using Windows = Sequential<Conv2d<3, 16, conv{.kernel_size = 7, .stride = 2, .padding = 3}>,     // an image
                           Conv2d<16, 32, conv{.kernel_size = 3, .padding = 2, .dilation = 2}>,  // dilated
                           Conv2d<32, 32, conv{.kernel_size = 4, .padding = "same"}>,            // asymmetric
                           Conv2d<32, 32, conv{.kernel_size = {1, 7}, .padding = {0, 3}}>, Conv2d<32, 32, conv{}>, ReLU,
                           Conv2d<32, 13, strided3>, ReLU, Conv2d<13, 7, same3>, Conv2d<7, 32, same3>>;  // odd channels
using Groups = Sequential<Conv2d<16, 64, conv{}>, SiLU,
                          Block<64, 64, conv{.kernel_size = 3, .padding = 1, .groups = 64}, SiLU>,  // depthwise
                          Block<64, 64, conv{.kernel_size = 5, .stride = 2, .padding = 2, .groups = 64}, ReLU>,
                          Block<64, 64, conv{.kernel_size = 3, .padding = 1, .groups = 4}, ReLU>>;  // grouped
using Transposed = Sequential<
    ConvTranspose2d<32, 16, conv_transpose{.kernel_size = 2, .stride = 2}>, ReLU,
    ConvTranspose2d<16, 16, conv_transpose{.kernel_size = 4, .stride = 2, .padding = 1}>,
    ConvTranspose2d<16, 16, conv_transpose{.kernel_size = 3, .stride = 2, .padding = 1, .output_padding = 1}>, ReLU,
    ConvTranspose2d<16, 16, conv_transpose{.kernel_size = 3, .padding = 1, .groups = 4}>>;
using Pools =
    Sequential<MaxPool2d<>, Conv2d<8, 8, same3>, MaxPool2d<max_pool{.kernel_size = 3, .stride = 2, .padding = 1}>,
               MaxPool2d<max_pool{.kernel_size = 3, .stride = 2, .ceil_mode = true}>, AvgPool2d<>,
               AvgPool2d<avg_pool{.kernel_size = 3, .stride = 1, .padding = 1}>,
               AvgPool2d<avg_pool{.kernel_size = 3, .stride = 1, .padding = 1, .count_include_pad = false}>,
               AdaptiveAvgPool2d<2>, AdaptiveAvgPool2d<1>, Flatten<>>;
using Mlp = Sequential<Linear<784, 256>, ReLU, Linear<256, 64>, GELU<>, Linear<64, 10>>;

/// All of them, as one model: a result for each.
struct EveryKind {
  Functions functions;
  Windows windows;
  Groups groups;
  Transposed transposed;
  Pools pools;
  Mlp mlp;
  constexpr auto operator()(auto a, auto b, auto c, auto d, auto e, auto f) const {
    return std::tuple(functions(a), windows(b), groups(c), transposed(d), pools(e), mlp(f));
  }
};
/// Calls f.operator()<...>() with the extents of its inputs.
constexpr auto with_inputs(auto f) {
  return f.template operator()<Shape<2, 8, 24, 20>, Shape<2, 3, 40, 36>, Shape<2, 16, 24, 20>, Shape<2, 32, 9, 7>,
                               Shape<2, 8, 63, 61>, Shape<16, 784>>();
}
}  // namespace networks
