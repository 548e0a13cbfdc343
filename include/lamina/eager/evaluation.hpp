/// What eager evaluation asks of a device: one operation, and what is fused to it.
#pragma once
#include "../core/dtype.hpp"
#include "../ops/all.hpp"
#include "../tensor/storage.hpp"

namespace lamina {

/// An operation on row-major tensors, all of them on one device. Behind a producer follow a batch norm, an addition and
/// an activation, where they are there.
struct Evaluation {
  struct Operand {
    const Storage* storage = nullptr;
    Dims dims{};
    Dtype dtype = Dtype::float32;
  };
  Operation operation{};
  const Operand* operands = nullptr;
  int operand_count = 0;
  const Storage* parameters = nullptr;  ///< of the operation: four, of float32, in its order; empty where absent
  Dims dims{};                          ///< of the result, which is float32

  const Storage* norm = nullptr;  ///< parameters of the batch norm; null: there is none
  ops::BatchNorm norm_operation{};
  const Storage* residual = nullptr;  ///< what is added, of the result's extents; null: nothing
  ops::Activation activation{};
};

}  // namespace lamina
