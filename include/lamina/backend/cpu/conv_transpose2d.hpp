/// Transposed convolution.
#pragma once
#include "conv2d.hpp"

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// The output positions r, r + stride, r + 2 stride, ... of one dimension, seen as an ordinary convolution. Tap p
/// contributes to them if stride divides r + padding - p * dilation: every `weight_step`-th tap from `weight_first` on.
struct Phase {
  Spread positions{};
  Reach reach{};
  idx weight_first = 0, weight_step = 1;

  constexpr Phase(const ops::Window& w, idx out, idx r) : positions{divide_up(max(0, out - r), w.stride), r, w.stride} {
    reach.taps = 0;
    for (idx p = 0, previous = 0; p < w.kernel; ++p) {
      const idx distance = r + w.before - p * w.dilation;
      if (distance % w.stride != 0) continue;
      if (reach.taps == 0) weight_first = p, reach.first = distance / w.stride;
      else if (reach.taps == 1) weight_step = p - previous, reach.step = distance / w.stride - reach.first;
      previous = p;
      ++reach.taps;
    }
  }
};

/// Calls f(phase of the rows, phase of the columns, taps of the phases before) for every phase.
template <class F> void for_each_phase(const ops::ConvTranspose2d& op, idx height, idx width, F f) {
  idx done = 0;
  for (idx r = 0; r < op.window.height.stride; ++r)
    for (idx s = 0; s < op.window.width.stride; ++s) {
      const Phase v(op.window.height, height, r), u(op.window.width, width, s);
      f(v, u, done);
      done += v.reach.taps * u.reach.taps;
    }
}

/// Every phase of the output (positions equal modulo the stride) is a convolution of stride 1 with some of the taps, so
/// that each element is summed up and finished once.
template <class Elements> void run_phases(const ops::ConvTranspose2d& op, const Call& call) {
  const Input& x = call.in[0];
  const Dims& out = call.out.dims;
  const Channels channels = channels_of(op, call.method);
  for_each_phase(op, out[2], out[3], [&](const Phase& v, const Phase& u, idx done) {
    Pixels pixels = pixels_of(call);
    pixels.vertical = v.reach, pixels.horizontal = u.reach;
    pixels.rows = v.positions, pixels.columns = u.positions;
    if (pixels.count() == 0) return;
    multiply({.pixels = pixels.count(),
              .taps = int(v.reach.taps * u.reach.taps),
              .channels = channels,
              .from_step = x.dims[2] * x.dims[3] * channel_block,
              .weight = call.parameters[0].floats() + done * channels.weights(),
              .bias = call.parameters[1].floats(),
              .residual = call.epilogue.residual != nullptr,
              .to_step = out[2] * out[3] * channel_block,
              .kernel = run_tile<Elements>,
              .activate_pairs = activate_pairs_of<Elements>(),
              .activation = call.epilogue.activation,
              .scratch = call.scratch,
              .threads = call.threads},
             pixels);
  });
}
}  // namespace detail

/// Parameters: weight and bias, packed for call.method, which is one of the mask. Input and result are blocked, pairs
/// paired.
template <std::uint64_t Kernels = float_kernels> void run(const ops::ConvTranspose2d& op, const Call& call) {
  if constexpr (has_method<Kernels, Method::direct>)
    if (call.method == Method::direct) return detail::run_phases<Floats>(op, call);
  if constexpr (has_method<Kernels, Method::direct_bfloat16>)
    if (call.method == Method::direct_bfloat16) return detail::run_phases<Pairs>(op, call);
}

}  // namespace lamina::inline LAMINA_ISA::host
