/// Copies, between layouts and between places.
#pragma once
#include "../../ops/reshape.hpp"
#include "planes.hpp"

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// The elements in their order, whatever the extents and distances of items on both sides. Both are planar.
LAMINA_ONE_COPY inline void copy_elements(const Input& x, const Output& y) {
  const idx total = count(x.dims), from = x.contiguous() ? total : x.item_size(),
            to = y.contiguous() ? total : y.item_size();
  const idx x_step = x.contiguous() ? 0 : x.item_stride, y_step = y.contiguous() ? 0 : y.item_stride;
  for (idx i = 0; i < total;) {
    const idx run = min(from - i % from, to - i % to);
    copy_row(x.floats() + i / from * x_step + i % from, y.floats() + i / to * y_step + i % to, run);
    i += run;
  }
}

/// From one layout to another: the channels of a block, so many pixels at a time that they stay in the cache.
template <class From = Floats, class To = Floats>
LAMINA_ONE_COPY void change_layout(const Input& x, const Output& y, int threads) {
  constexpr idx chunk = 64, block = channel_block * max(From::in_word, To::in_word);
  const idx area = x.dims[2] * x.dims[3], channels = x.dims[1], blocks = divide_up(channels, block);
  const idx all = x.dims[0] * blocks, x_lanes = lanes_of(x), y_lanes = lanes_of(y);
  const auto at = [area](idx lanes, idx c) { return c / lanes * area * lanes + c % lanes; };
  threads::share(threads, all, 1, [&](int, threads::Work& work) {
    for (const idx i : work)
      for (idx first = 0; first < area; first += chunk)
        for (idx c = i % blocks * block; c < min(channels, (i % blocks + 1) * block); ++c) {
          const idx pixels = min(chunk, area - first);
          const auto to = To::in(y.item(i / blocks)) + at(y_lanes, c) + first * y_lanes;
          copy_strided(From::in(x.item(i / blocks)) + at(x_lanes, c) + first * x_lanes, x_lanes, to, y_lanes, pixels);
          // Kernels read whole pairs: an odd number of channels is filled up.
          if constexpr (To::in_word == 2)
            if (c % 2 == 0 && c + 1 == channels) {
              const float zero = 0;
              copy_strided(&zero, 0, to + 1, y_lanes, pixels);
            }
        }
  });
}
}  // namespace detail

template <class Elements = Floats> void run(const ops::Copy&, const Call& call) {
  const Input& x = call.in[0];
  if (x.layout == call.out.layout) detail::copy_elements(as_planar(x), as_planar(call.out));
  else if (x.layout == Layout::paired) detail::change_layout<Elements, Floats>(x, call.out, call.threads);
  else if (call.out.layout == Layout::paired) detail::change_layout<Floats, Elements>(x, call.out, call.threads);
  else detail::change_layout(x, call.out, call.threads);
}

}  // namespace lamina::inline LAMINA_ISA::host
