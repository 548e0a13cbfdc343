/// What every operation says of itself. An operation is a small value: its attributes, its name, the role it plays in
/// fusion, and the rules
///   check(dims...)  a sentence if the operands do not fit, else an empty text
///   shape(dims...)  extents of the result
///   macs(dims...)   multiply-accumulates, where it has any
/// All readings and backends call these; nothing else in the library knows an output-shape formula.
#pragma once
#include "../core/text.hpp"

namespace lamina::ops {

/// How an operation takes part in fusion.
enum class Role : unsigned char {
  leaf,      ///< an input or a parameter
  producer,  ///< starts a fused expression: convolutions, linear layers
  epilogue,  ///< can be applied to a producer's result while it is in registers
  alias,     ///< the same elements under other extents
  plain,     ///< everything else
};

/// Multiply-accumulates of an operation on these operands; 0 where the operation does not define them, as counted by
/// torchvision's tables and torchinfo.
template <class Op, class... D> constexpr idx macs_of(const Op& op, const D&... dims) {
  if constexpr (requires { op.macs(dims...); }) return op.macs(dims...);
  else return 0;
}

/// True for operations on images that take one without a batch too, [C, H, W], as PyTorch's do.
template <auto Op> inline constexpr bool takes_one_image = requires { Op.takes_one_image; };

/// The sentence that an operation on operands of another rank gets.
constexpr Text rank_fault(const char* needs, const Dims& x) {
  return Text{} << "needs " << needs << ", the input is " << x;
}

}  // namespace lamina::ops
