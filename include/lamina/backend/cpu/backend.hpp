/// What a plan asks the CPU backend.
#pragma once
#include "pack.hpp"
#include "run.hpp"

namespace lamina::inline LAMINA_ISA::host {

namespace detail {
/// Calls f with the producer that the operation is, if it is one. (Ahead of the class: clang 19 cannot call a member
/// template in a constant expression before it has read its body.)
template <class F> constexpr void with_producer(const Operation& operation, F f) {
  if (is<ops::Conv2d>(operation)) f(as<ops::Conv2d>(operation));
  else if (is<ops::Linear>(operation)) f(as<ops::Linear>(operation));
  else if (is<ops::ConvTranspose2d>(operation)) f(as<ops::ConvTranspose2d>(operation));
}
/// True if operands may stretch to each other by whole pixels.
constexpr bool equal_channels(const Dims& a, const Dims& b) { return a.rank == 4 && b.rank == 4 && a[1] == b[1]; }
}  // namespace detail

/// The answers of the CPU kernels to a plan's questions (plan/plan.hpp).
struct Backend {
  static constexpr bool splits_batches = true, copies_rename = false, writes_over_residual = true;

  static constexpr bool honours_item_stride(const Operation& operation) { return has(strided, operation); }
  static constexpr bool works_in_place(const Operation& operation) { return has(in_place, operation); }
  /// Along the channels, along a dimension before which everything is 1, or along the items themselves.
  static constexpr bool joins_items(const Dims& dims, int axis, Layout, const Dims&) {
    return axis <= 1 || product(dims, 0, axis) == 1;
  }

  static constexpr Layouts layouts_of(const Operation& operation, const Dims* x, const Layout* given, int operands,
                                      const CompileOptions& options) {
    constexpr Layouts planar{Layout::planar, Layout::planar}, blocked{Layout::blocked, Layout::blocked};
    const auto block_of = [&](int groups) {
      return options.precision == Precision::bfloat16 && groups == 1 ? Layout::paired : Layout::blocked;
    };
    if (is<ops::Conv2d>(operation)) {
      const ops::Conv2d& op = as<ops::Conv2d>(operation);
      const bool gathered = given[0] == Layout::planar && op.groups == 1 && op.in_channels < channel_block;
      return {gathered ? Layout::planar : block_of(op.groups), block_of(op.groups)};
    }
    if (is<ops::ConvTranspose2d>(operation)) {
      const Layout block = block_of(as<ops::ConvTranspose2d>(operation).groups);
      return {block, block};
    }
    Layout most = Layout::planar;
    bool same = true;
    for (int i = 0; i < operands; ++i) {
      if (given[i] > most) most = given[i];
      same = same && x[i] == x[0];
    }
    const Layouts blocks{most, most};
    if (most == Layout::planar) return planar;
    if (is<ops::Identity>(operation) || has(by_pixel, operation)) return blocks;
    if (is<ops::Binary>(operation)) return same ? blocks : detail::equal_channels(x[0], x[1]) ? blocked : planar;
    if (is<ops::BatchNorm>(operation)) return as<ops::BatchNorm>(operation).tracked ? blocks : planar;
    if (is<ops::GroupNorm>(operation)) return suits_blocks(as<ops::GroupNorm>(operation)) ? blocked : planar;
    if (is<ops::Pad>(operation)) return as<ops::Pad>(operation).pairs <= 2 ? blocks : planar;
    if (is<ops::Cat>(operation)) {
      const int axis = wrap_dim(as<ops::Cat>(operation).dim, x[0].rank);
      bool whole = axis == 1;
      for (int i = 0; i + 1 < operands; ++i) whole = whole && x[i][1] % block_channels(most) == 0;
      return axis == 0 || whole ? blocks : planar;
    }
    return planar;
  }

  static constexpr Method method_of(const Operation& operation, const Dims& x, Layout layout,
                                    const CompileOptions& options, idx budget) {
    Method method = Method::plain;
    detail::with_producer(operation, [&](const auto& op) { method = host::method_of(op, x, layout, options, budget); });
    return method;
  }
  static constexpr std::uint64_t kernels_of(const Operation& operation, std::uint8_t method,
                                            const CompileOptions& options) {
    std::uint64_t kernels = std::uint64_t(1) << operation.index();
    if (role_of(operation) == ops::Role::producer) kernels |= bit_of_method(Method(method));
    if (options.precision == Precision::bfloat16) kernels |= paired_kernels;
    return kernels;
  }
  /// The bits of all methods that a plan under these options may choose.
  static constexpr std::uint64_t any_method(const CompileOptions& options) {
    const std::uint64_t operations = bit_of_method(Method{}) - 1;
    return (options.precision == Precision::bfloat16 ? all_kernels : float_kernels) & ~operations;
  }
  static constexpr idx packed_floats(const Operation& operation, int parameter, Method method, idx size) {
    detail::with_producer(operation, [&](const auto& op) {
      if (parameter == 0) size = weight_floats(op, method);
      if (parameter == 1) size = bias_floats(out_channels(op));
    });
    return size;
  }
  static constexpr Scratch scratch_of(const Operation& operation, const Dims& x, const Dims& second, Method method) {
    Scratch scratch;
    detail::with_producer(operation, [&](const auto& op) { scratch = host::scratch_of(op, x, method); });
    if (is<ops::Matmul>(operation)) scratch = host::scratch_of(as<ops::Matmul>(operation), x, second);
    return {round_up(scratch.shared, channel_block), round_up(scratch.each, channel_block)};
  }

 private:
  template <class... Op> static constexpr std::uint64_t bits = (bit_of<Op> | ...);
  /// Reads and writes a pixel's channels side by side, in either layout.
  static constexpr std::uint64_t by_pixel =
      bits<ops::Activation, ops::MaxPool2d, ops::AvgPool2d, ops::AdaptiveAvgPool2d, ops::Upsample, ops::PadTo>;
  static constexpr std::uint64_t strided =
      by_pixel | bits<ops::Conv2d, ops::ConvTranspose2d, ops::BatchNorm, ops::Binary, ops::Pad, ops::GroupNorm,
                      ops::Cat, ops::Copy, ops::Identity, ops::Flatten, ops::Unsqueeze, ops::Reshape>;
  static constexpr std::uint64_t in_place = bits<ops::Activation, ops::Binary, ops::BatchNorm>;

  static constexpr bool has(std::uint64_t mask, const Operation& operation) { return mask >> operation.index() & 1; }
};

}  // namespace lamina::inline LAMINA_ISA::host
