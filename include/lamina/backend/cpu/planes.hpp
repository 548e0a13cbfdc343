/// Images as planes of pixels: one channel each, or a block of 16 channels side by side.
#pragma once
#include "../../threads/share.hpp"
#include "elements.hpp"

namespace lamina::inline LAMINA_ISA::host {

/// Channels that lie side by side.
template <class Pointer> constexpr idx lanes_of(const OperandOf<Pointer>& x) {
  return x.layout == Layout::planar ? 1 : block_channels(x.layout);
}

/// A tensor [N, C, H, W] in blocks as the planar one that has the same words in the same order: [N, C/16, H, W * 16],
/// or, of pairs, [N, C/32, H, W * 16].
template <class Operand> constexpr Operand as_planar(Operand x) {
  if (x.layout != Layout::planar) {
    x.dims = {x.dims[0], divide_up(x.dims[1], block_channels(x.layout)), x.dims[2], x.dims[3] * channel_block};
    x.layout = Layout::planar;
  }
  return x;
}

/// The channels of a pixel in a plane of blocks, in `count` registers or one by one. Pixels are `words` apart.
template <class Elements> struct BlockPixel {
  using type = vector;
  static constexpr int words = int(channel_block), channels = words * Elements::in_word,
                       count = channels / vector_floats;
  static type get(const float* pixel, int i) { return load(Elements::in(pixel) + i * vector_floats); }
  static void put(type v, float* pixel, int i) { store(v, Elements::in(pixel) + i * vector_floats); }
  static float at(const float* pixel, int c) { return float(Elements::in(pixel)[c]); }
  static void set(float v, float* pixel, int c) { Elements::in(pixel)[c] = typename Elements::type(v); }
};
/// The one channel of a pixel in a plane of its own.
struct ChannelPixel {
  using type = float;
  static constexpr int words = 1, channels = 1, count = 1;
  static type get(const float* pixel, int) { return *pixel; }
  static void put(type v, float* pixel, int) { *pixel = v; }
  static float at(const float* pixel, int) { return *pixel; }
  static void set(float v, float* pixel, int) { *pixel = v; }
};

/// Calls f.operator()<Pixel>(plane of the first input, plane of the output) for every item and channel or block of
/// channels. Both have the same layout, which is paired if Elements are.
template <class Elements, class F> void for_each_plane(const Call& call, const F& f) {
  constexpr bool pairs = Elements::in_word == 2;
  const Input& x = call.in[0];
  const bool channels = x.layout == Layout::planar;
  const idx words = channels ? 1 : channel_block, planes = divide_up(x.dims[1], lanes_of(x)), all = x.dims[0] * planes;
  const idx from = x.dims[2] * x.dims[3] * words, to = call.out.dims[2] * call.out.dims[3] * words;
  threads::share(call.threads, all, 1, [&](int, threads::Work& work) {
    for (const idx i : work) {
      const float* const in = x.item(i / planes) + i % planes * from;
      float* const out = call.out.item(i / planes) + i % planes * to;
      if constexpr (!pairs)
        if (channels) {
          f.template operator()<ChannelPixel>(in, out);
          continue;
        }
      f.template operator()<BlockPixel<Elements>>(in, out);
    }
  });
}

}  // namespace lamina::inline LAMINA_ISA::host
