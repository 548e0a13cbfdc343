/// What a user may choose when compiling a model.
#pragma once
#include "../core/shape.hpp"

namespace lamina {

/// Which algorithms a compiled model may use for 3x3 convolutions. Largest errors against float64, of the largest
/// output (docs/cpu.md): exact and strict up to 1.1 times, fast up to 7 times those of PyTorch's float32.
enum class Accuracy : unsigned char {
  fast,    ///< direct sums, Winograd F(2x2,3x3) and F(4x4,3x3)
  strict,  ///< direct sums and Winograd F(2x2,3x3)
  exact,   ///< direct sums
};

/// The type of the weights of convolutions and linear layers, and of the activations between them. Sums are float32
/// either way, and so are the tensors of the caller.
enum class Precision : unsigned char {
  float32,
  /// Half the memory, and twice the products an instruction with AVX512_BF16; other instruction sets compute them
  /// through float32, at 0.7 of the rate. Depthwise and grouped convolutions, matrix products and operations on planar
  /// operands stay float32, and, unless the accuracy is exact, so do the weights of Winograd's convolutions. Largest
  /// errors against float64 are below PyTorch's in bfloat16: 1e-2 to 1e-1 of the largest output (docs/cpu.md).
  bfloat16,
  /// On GPUs: as float32, but factors of convolutions and linear layers may be rounded to 10 bits of mantissa (TF32).
  tensorfloat32,
  /// On GPUs: half the memory, 10 bits of mantissa, values up to 65504.
  float16,
};

/// compile<CompileOptions{.accuracy = Accuracy::strict}, Shape<...>>(net)
struct CompileOptions {
  Accuracy accuracy = Accuracy::fast;
  Precision precision = Precision::float32;
  /// Bytes that the packed weights of convolutions and linear layers may take in all, as far as there is a choice:
  /// Winograd's are 1.8 (F(2x2)) and 4 (F(4x4)) times as large as the layer's own. Convolutions for which there is no
  /// room take a smaller form, direct sums at last.
  idx weight_budget = idx(1) << 40;
  /// On GPUs: no engine of cuDNN whose results vary from call to call (torch.backends.cudnn.deterministic). The CPU's
  /// never do.
  bool deterministic = false;
};

}  // namespace lamina
