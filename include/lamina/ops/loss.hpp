/// Losses, averaged or summed over their elements: torch.nn.functional.mse_loss, l1_loss, cross_entropy,
/// binary_cross_entropy_with_logits.
#pragma once
#include "operation.hpp"

namespace lamina::ops {

enum class Reduction : unsigned char { mean, sum, none };

/// Losses between two tensors of equal extents:
///   mse  (x - t)^2
///   l1   |x - t|
///   bce  max(x, 0) - x t + log(1 + exp(-|x|)), the binary cross entropy of sigmoid(x)
struct PairLoss {
  enum class Kind : unsigned char { mse, l1, bce_with_logits };
  static constexpr std::string_view name = "pair_loss";
  static constexpr Role role = Role::plain;
  Kind kind = Kind::mse;
  Reduction reduction = Reduction::mean;

  constexpr Text check(const Dims& x, const Dims& t) const {
    constexpr std::string_view names[] = {"mse_loss", "l1_loss", "binary_cross_entropy_with_logits"};
    return compatible(x, t) ? Text{} : Text{} << names[int(kind)] << ": " << x << " and " << t << " differ";
  }
  constexpr Dims shape(const Dims& x, const Dims&) const { return reduction == Reduction::none ? x : Dims{}; }
  friend constexpr bool operator==(const PairLoss&, const PairLoss&) = default;
};

/// -sum over c of q[c] * log_softmax(x)[c], averaged over the targets that are not `ignore_index`; x [N, C] or [N, C,
/// ...], targets [N, ...] of int64 class numbers. q is 1 at the target's class; with label smoothing s it is (1 - s)
/// there plus s / C everywhere.
struct CrossEntropy {
  static constexpr std::string_view name = "cross_entropy";
  static constexpr Role role = Role::plain;
  Reduction reduction = Reduction::mean;
  int ignore_index = -100;
  double label_smoothing = 0;

  constexpr Text check(const Dims& x, const Dims& t) const {
    if (x.rank < 2) return Text{} << "cross_entropy: needs [N, C, ...], the input is " << x;
    return compatible(targets(x), t)
               ? Text{}
               : Text{} << "cross_entropy: the input " << x << " needs targets " << targets(x) << ", not " << t;
  }
  constexpr Dims shape(const Dims& x, const Dims&) const { return reduction == Reduction::none ? targets(x) : Dims{}; }
  friend constexpr bool operator==(const CrossEntropy&, const CrossEntropy&) = default;

 private:
  static constexpr Dims targets(const Dims& x) {
    Dims t;
    for (int i = 0; i < x.rank; ++i)
      if (i != 1) t.extent[t.rank++] = x[i];
    return t;
  }
};

}  // namespace lamina::ops
