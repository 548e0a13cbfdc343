/// Kernels that lamina writes itself: CUDA C++ made for one operation on operands of known extents and types, for NVRTC
/// to compile.
#pragma once
#include "../../core/dtype.hpp"
#include "../../ops/all.hpp"
#include "../../plan/layout.hpp"
#include <string>

namespace lamina::gpu {

/// A tensor that a kernel reads or writes: extents in PyTorch's order, elements packed, in the order that the layout
/// says.
struct KernelTensor {
  Dims dims{};
  Dtype dtype = Dtype::float32;
  Layout layout = Layout::planar;  ///< planar: row-major; channels_last: of rank 4, [N, H, W, C] in memory
};

/// One operation, and what is fused to it: y = activation(operation(operands, parameters) + residual).
struct KernelCall {
  Operation operation{};
  const KernelTensor* operands = nullptr;  ///< those of the operation, then the residual if there is one
  int operand_count = 0;
  bool has_residual = false;
  ops::Activation activation{};
  bool parameters[4]{};  ///< which of the operation's parameters are there, in its order
  Dtype weights =
      Dtype::float32;  ///< type of the weight of a convolution or linear layer; all other parameters are float32
  KernelTensor out{};
};

/// A kernel and how it is started. Its arguments are pointers: those of the operands (the residual last), of the
/// parameters that are there, of the result. Extents are constants of the source.
struct Kernel {
  std::string name{};    ///< the same for the same source, and different for different sources
  std::string source{};  ///< `extern "C" __global__ void NAME(...)`; needs `prelude` (prelude.hpp) before it
  unsigned blocks = 1, threads = 1;
  int arguments = 0;
};

}  // namespace lamina::gpu
