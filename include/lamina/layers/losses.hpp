/// torch.nn.MSELoss, L1Loss, BCEWithLogitsLoss, CrossEntropyLoss: modules of two operands, the prediction and the
/// target.
#pragma once
#include "../core/members.hpp"
#include "functional.hpp"

namespace lamina {

/// (x - t)^2, averaged, summed or as it is. PyTorch: nn.MSELoss(reduction='mean').
template <Reduction R = Reduction::mean> struct MSELoss {
  LAMINA_MEMBERS()
  template <class X, class Y> constexpr auto operator()(X&& x, Y&& target) const {
    return mse_loss<R>(std::forward<X>(x), std::forward<Y>(target));
  }
};

/// |x - t|. PyTorch: nn.L1Loss(reduction='mean').
template <Reduction R = Reduction::mean> struct L1Loss {
  LAMINA_MEMBERS()
  template <class X, class Y> constexpr auto operator()(X&& x, Y&& target) const {
    return l1_loss<R>(std::forward<X>(x), std::forward<Y>(target));
  }
};

/// The binary cross entropy of sigmoid(x). PyTorch: nn.BCEWithLogitsLoss(reduction='mean').
template <Reduction R = Reduction::mean> struct BCEWithLogitsLoss {
  LAMINA_MEMBERS()
  template <class X, class Y> constexpr auto operator()(X&& x, Y&& target) const {
    return binary_cross_entropy_with_logits<R>(std::forward<X>(x), std::forward<Y>(target));
  }
};

/// The cross entropy of softmax(x) over dimension 1 and int64 class numbers.
/// PyTorch: nn.CrossEntropyLoss(ignore_index=-100, reduction='mean', label_smoothing=0.0).
template <cross_entropy_options Options = cross_entropy_options{}> struct CrossEntropyLoss {
  LAMINA_MEMBERS()
  template <class X, class Y> constexpr auto operator()(X&& x, Y&& target) const {
    return cross_entropy<Options>(std::forward<X>(x), std::forward<Y>(target));
  }
};

}  // namespace lamina
