/// What a plan asks about GPUs. Between operations values are channels last, in the type of the plan's precision.
#pragma once
#include "../../core/shape.hpp"
#include "../../plan/options.hpp"
#include "../../plan/plan.hpp"

namespace lamina::gpu {

/// True if [N, H, W, C] and [N, C, H, W] are the same elements in the same order.
constexpr bool is_one_order(const Dims& dims) { return layouts_agree(dims, Layout::planar, Layout::channels_last); }

constexpr bool has_halves(const CompileOptions& options) {
  return options.precision == Precision::float16 || options.precision == Precision::bfloat16;
}

/// Every tensor begins at a multiple of so many bytes.
inline constexpr idx address_alignment = 16;

/// Bytes of scratch memory that a kernel of our own may ask for: none does.
struct NoScratch {
  idx shared = 0, each = 0;
};

/// The answers of the GPU to a plan's questions (plan/plan.hpp). The method of a producer says whether its weight is of
/// 16 bits.
struct Backend {
  static constexpr bool splits_batches = false;
  static constexpr bool copies_rename = true;
  /// cuDNN does not say that a result may lie over an operand.
  static constexpr bool writes_over_residual = false;
  static constexpr bool honours_item_stride(const Operation&) { return false; }
  static constexpr bool works_in_place(const Operation& operation) {
    return is<ops::Activation>(operation) || is<ops::Binary>(operation) ||
           (is<ops::BatchNorm>(operation) && as<ops::BatchNorm>(operation).tracked);
  }
  /// Only where nothing varies before the axis in memory, and whatever follows an operand begins at an address that
  /// cuDNN takes.
  static constexpr bool joins_items(const Dims& dims, int axis, Layout layout, const Dims& part) {
    const idx bytes = layout == Layout::halves ? 2 : 4;
    if (count(part) * bytes % address_alignment != 0 || count(part) * bytes != 4 * elements(part, layout)) return false;
    if (axis == 0 || layout == Layout::planar || is_one_order(dims)) return product(dims, 0, axis) == 1;
    constexpr int slowest_first[] = {0, 2, 3, 1};
    for (const int d : slowest_first) {
      if (d == axis) break;
      if (dims[d] != 1) return false;
    }
    return true;
  }

  static constexpr Layouts layouts_of(const Operation& operation, const Dims* x, const Layout* given, int operands,
                                      const CompileOptions& options) {
    constexpr Layouts planar{Layout::planar, Layout::planar};
    const Layout inner = has_halves(options) ? Layout::halves : Layout::channels_last;
    const Layouts inside{inner, inner};
    if (is<ops::Conv2d>(operation) || is<ops::ConvTranspose2d>(operation)) return inside;
    // Features are the last dimension of a linear layer, which channels-last images have elsewhere.
    if (is<ops::Linear>(operation)) return is_one_order(x[0]) && x[0].rank < 4 ? inside : planar;
    bool any_inside = false;
    for (int i = 0; i < operands; ++i) any_inside = any_inside || given[i] == inner;
    if (!any_inside) return planar;
    if (role_of(operation) == ops::Role::alias)
      return is<ops::Identity>(operation) || (is_one_order(x[0]) && is_one_order(renamed(operation, x[0]))) ? inside
                                                                                                            : planar;
    if (is<ops::CrossEntropy>(operation) || is<ops::PairLoss>(operation)) return planar;  // targets keep their type
    if (is<ops::Matmul>(operation)) {
      for (int i = 0; i < operands; ++i)
        if (x[i].rank == 4) return planar;
    }
    return inside;
  }

  static constexpr std::uint8_t method_of(const Operation& operation, const Dims&, Layout layout,
                                          const CompileOptions& options, idx) {
    return role_of(operation) == ops::Role::producer && has_halves(options) && layout == Layout::halves;
  }
  /// The kernels that a plan needs are made at run time.
  static constexpr std::uint64_t kernels_of(const Operation&, std::uint8_t, const CompileOptions&) { return 0; }
  static constexpr idx packed_floats(const Operation& operation, int parameter, std::uint8_t halves, idx size) {
    if (role_of(operation) != ops::Role::producer) return size;
    if (parameter == 1) return out_channels(operation);
    return halves ? (weight_size(operation) + 1) / 2 : weight_size(operation);
  }
  static constexpr NoScratch scratch_of(const Operation&, const Dims&, const Dims&, std::uint8_t) { return {}; }

 private:
  static constexpr Dims renamed(const Operation& operation, const Dims& x) {
    if (is<ops::Flatten>(operation)) return as<ops::Flatten>(operation).shape(x);
    if (is<ops::Unsqueeze>(operation)) return as<ops::Unsqueeze>(operation).shape(x);
    return as<ops::Reshape>(operation).shape(x);
  }
  static constexpr idx out_channels(const Operation& operation) {
    if (is<ops::Conv2d>(operation)) return as<ops::Conv2d>(operation).out_channels;
    if (is<ops::Linear>(operation)) return as<ops::Linear>(operation).out_features;
    return as<ops::ConvTranspose2d>(operation).out_channels;
  }
  template <class Op> static constexpr idx filter_size(const Op& op) {
    return idx(op.in_channels) * op.out_channels / op.groups * op.window.height.kernel * op.window.width.kernel;
  }
  static constexpr idx weight_size(const Operation& operation) {
    if (is<ops::Conv2d>(operation)) return filter_size(as<ops::Conv2d>(operation));
    if (is<ops::Linear>(operation))
      return idx(as<ops::Linear>(operation).in_features) * as<ops::Linear>(operation).out_features;
    return filter_size(as<ops::ConvTranspose2d>(operation));
  }
};

}  // namespace lamina::gpu
