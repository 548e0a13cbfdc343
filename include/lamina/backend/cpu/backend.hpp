/// What a plan asks the CPU backend.
#pragma once
#include "../../plan/layout.hpp"
#include "run.hpp"

namespace lamina::inline LAMINA_ISA::cpu {

/// The answers of the CPU kernels to a plan's questions (plan/plan.hpp).
struct Backend {
  static constexpr bool honours_item_stride(const Operation& operation) { return cpu::honours_item_stride(operation); }
  static constexpr bool works_in_place(const Operation& operation) { return cpu::works_in_place(operation); }
  static constexpr idx scratch_floats(const Operation& operation, const Dims& x) {
    return cpu::scratch_floats(operation, x);
  }
  /// All kernels read and write planar tensors.
  static constexpr Layout layout_of(const Operation&) { return Layout::planar; }
};

}  // namespace lamina::inline LAMINA_ISA::cpu
