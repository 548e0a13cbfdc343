/// What a kernel gets. Eager evaluation and the plan both end in `run(operation, call)`, an overload set with one
/// function an operation.
#pragma once
#include "../../core/dtype.hpp"
#include "../../ops/activation.hpp"
#include "target.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

/// A tensor in memory as a kernel sees it. The elements of an item (an index of dimension 0) are contiguous and
/// row-major; items lie `item_stride` elements apart, which is more than their size where a tensor is part of a
/// concatenation.
template <class Pointer> struct OperandOf {
  Pointer data = nullptr;
  Dims dims{};
  idx item_stride = 0;
  Dtype dtype = Dtype::float32;

  constexpr idx items() const { return dims.rank == 0 ? 1 : dims[0]; }
  constexpr idx item_size() const { return product(dims, 1, dims.rank); }
  constexpr bool contiguous() const { return items() == 1 || item_stride == item_size(); }
};

/// What a kernel reads.
struct Input : OperandOf<const void*> {
  const float* floats() const { return static_cast<const float*>(data); }
  const float* item(idx n) const { return floats() + n * item_stride; }
};

/// What a kernel writes.
struct Output : OperandOf<void*> {
  float* floats() const { return static_cast<float*>(data); }
  float* item(idx n) const { return floats() + n * item_stride; }
};

/// What is applied to a producer's result while it is at hand, in this order, c the channel (dimension 1):
///   y = activation((y + bias[c]) * scale[c] + shift[c] + residual)
/// The bias is the producer's own parameter; null pointers leave their step out. `residual` may be the output itself.
struct Epilogue {
  const float* scale = nullptr;
  const float* shift = nullptr;
  const Input* residual = nullptr;
  ops::Activation activation{};
};

/// Operands, parameters in the operation's order (a null `data` for an absent one), what is fused, and memory of
/// `scratch_floats(operation, extents of the first input)` floats.
struct Call {
  Output out{};
  const Input* in = nullptr;
  int inputs = 0;
  Input parameters[4]{};
  Epilogue epilogue{};
  float* scratch = nullptr;
};

}  // namespace lamina::inline LAMINA_ISA::cpu
