/// What a user may choose when compiling a model.
#pragma once
#include "../core/shape.hpp"

namespace lamina {

/// Which algorithms a compiled model may use for 3x3 convolutions. Largest errors against float64, of the largest
/// output (docs/cpu.md): exact and strict up to 1.7 times, fast up to 5 times those of PyTorch's float32.
enum class Accuracy : unsigned char {
  fast,    ///< direct sums, Winograd F(2x2,3x3) and F(4x4,3x3)
  strict,  ///< direct sums and Winograd F(2x2,3x3)
  exact,   ///< direct sums
};

/// compile<CompileOptions{.accuracy = Accuracy::strict}, Shape<...>>(net)
struct CompileOptions {
  Accuracy accuracy = Accuracy::fast;
  /// Bytes that the packed weights of convolutions and linear layers may take in all, as far as there is a choice:
  /// Winograd's are 1.8 (F(2x2)) and 4 (F(4x4)) times as large as the layer's own. Convolutions for which there is no
  /// room take a smaller form, direct sums at last.
  idx weight_budget = idx(1) << 40;
};

}  // namespace lamina
