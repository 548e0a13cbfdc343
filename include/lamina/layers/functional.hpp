/// Functions of tensors, with the names of torch and torch.nn.functional. What PyTorch takes as an argument and decides
/// the extents of the result (a dimension, a shape, an amount of padding) is a template argument.
#pragma once
#include "../core/size.hpp"
#include "../ops/activation.hpp"
#include "../ops/binary.hpp"
#include "../ops/cat.hpp"
#include "../ops/loss.hpp"
#include "../ops/matmul.hpp"
#include "../ops/pad.hpp"
#include "../ops/pool.hpp"
#include "../ops/reshape.hpp"
#include "../ops/softmax.hpp"
#include "../tensor/perform.hpp"

namespace lamina {

using ops::Reduction;

namespace detail {
template <auto Op, class X> constexpr auto apply_function(X&& x) {
  require_valid<Op, void, operand_shape_t<X>>();
  if constexpr (Op.check(operand_shape_t<X>::dims).empty()) return apply<Op>(std::forward<X>(x));
  else return std::remove_cvref_t<X>(x);
}
template <ops::Activation::Kind K, class X> constexpr auto activate(X&& x) {
  return apply_function<ops::Activation{K}>(std::forward<X>(x));
}
}  // namespace detail

// ---- activations

/// max(x, 0).
template <operand X> constexpr auto relu(X&& x) {
  return detail::activate<ops::Activation::Kind::relu>(std::forward<X>(x));
}
/// x if x > 0, else NegativeSlope * x.
template <Number NegativeSlope = 0.01, operand X> constexpr auto leaky_relu(X&& x) {
  return detail::apply_function<ops::Activation{ops::Activation::Kind::leaky_relu, float(NegativeSlope.value)}>(
      std::forward<X>(x));
}
/// 1 / (1 + exp(-x)).
template <operand X> constexpr auto sigmoid(X&& x) {
  return detail::activate<ops::Activation::Kind::sigmoid>(std::forward<X>(x));
}
/// tanh(x).
template <operand X> constexpr auto tanh(X&& x) {
  return detail::activate<ops::Activation::Kind::tanh>(std::forward<X>(x));
}
/// x * Phi(x), exactly.
template <operand X> constexpr auto gelu(X&& x) {
  return detail::activate<ops::Activation::Kind::gelu>(std::forward<X>(x));
}
/// x * sigmoid(x).
template <operand X> constexpr auto silu(X&& x) {
  return detail::activate<ops::Activation::Kind::silu>(std::forward<X>(x));
}
/// exp(x) / sum of exp(x) along dimension Dim.
template <int Dim, operand X> constexpr auto softmax(X&& x) {
  return detail::apply_function<ops::Softmax{Dim, false}>(std::forward<X>(x));
}
/// log(softmax(x)) along dimension Dim.
template <int Dim, operand X> constexpr auto log_softmax(X&& x) {
  return detail::apply_function<ops::Softmax{Dim, true}>(std::forward<X>(x));
}

// ---- other extents

/// Merges the dimensions StartDim to EndDim into one. As torch.flatten, it starts at dimension 0 unless told otherwise.
template <int StartDim = 0, int EndDim = -1, operand X> constexpr auto flatten(X&& x) {
  return detail::apply_function<ops::Flatten{StartDim, EndDim}>(std::forward<X>(x));
}
/// Inserts a dimension of extent 1 at Dim.
template <int Dim, operand X> constexpr auto unsqueeze(X&& x) {
  return detail::apply_function<ops::Unsqueeze{Dim}>(std::forward<X>(x));
}
/// The same elements as a tensor of the given extents; one may be -1: `reshape<-1, 10>(x)`.
template <idx... Extents, operand X> constexpr auto reshape(X&& x) {
  return detail::apply_function<ops::Reshape{Dims{Extents...}}>(std::forward<X>(x));
}

/// Amounts for `pad`, as torch.nn.functional.pad takes them: pairs (before, after), the last dimension first.
template <int... Amounts> struct padding_amounts {
  static_assert(sizeof...(Amounts) % 2 == 0,
                "lamina: pad takes pairs: before and after for each dimension, the last dimension first");
  static constexpr ops::Pad operation(float value) {
    ops::Pad op;
    op.value = value;
    ((op.amounts[op.pairs++] = Amounts), ...);
    op.pairs /= 2;
    return op;
  }
};
/// Constant padding: `pad<1, 2, 0, 3>(x)` adds 1 and 2 columns, 0 and 3 rows of zeros; negative numbers cut.
template <int... Amounts, operand X> constexpr auto pad(X&& x) {
  return detail::apply_function<padding_amounts<Amounts...>::operation(0)>(std::forward<X>(x));
}
/// Constant padding with a value: `pad<padding_amounts<1, 1>, 0.5>(x)`.
template <class Amounts, Number Value, operand X> constexpr auto pad(X&& x) {
  return detail::apply_function<Amounts::operation(float(Value.value))>(std::forward<X>(x));
}
/// x with zeros around it, to the height and width of `like`: floor of half the difference before, the rest after.
template <operand X, operand Like> constexpr auto pad_to(X&& x, Like&& like) {
  return combine<ops::PadTo{}>(std::forward<X>(x), std::forward<Like>(like));
}
/// The operands behind one another along dimension Dim.
template <int Dim, operand... X> constexpr auto cat(X&&... x) {
  static_assert(sizeof...(X) > 0, "lamina: cat needs at least one tensor");
  return combine<ops::Cat{Dim}>(std::forward<X>(x)...);
}

// ---- arithmetic with broadcasting; operands are tensors or parameters, at least one of them a tensor

namespace detail {
template <class X>
concept term = operand<X> || stored<std::remove_cvref_t<X>>;
/// At least one of two terms is an operand, so that a reading is known.
template <class X, class Y>
concept terms = term<X> && term<Y> &&(operand<X> || operand<Y>);
template <ops::Binary::Kind K, class X, class Y> constexpr auto arithmetic(X&& x, Y&& y) {
  return combine<ops::Binary{K}>(std::forward<X>(x), std::forward<Y>(y));
}
}  // namespace detail

template <class X, class Y>
requires detail::terms<X, Y>
constexpr auto operator+(X&& x, Y&& y) {
  return detail::arithmetic<ops::Binary::Kind::add>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
requires detail::terms<X, Y>
constexpr auto operator-(X&& x, Y&& y) {
  return detail::arithmetic<ops::Binary::Kind::subtract>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
requires detail::terms<X, Y>
constexpr auto operator*(X&& x, Y&& y) {
  return detail::arithmetic<ops::Binary::Kind::multiply>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
requires detail::terms<X, Y>
constexpr auto operator/(X&& x, Y&& y) {
  return detail::arithmetic<ops::Binary::Kind::divide>(std::forward<X>(x), std::forward<Y>(y));
}
template <class X, class Y>
requires detail::terms<X, Y>
constexpr auto add(X&& x, Y&& y) { return std::forward<X>(x) + std::forward<Y>(y); }
template <class X, class Y>
requires detail::terms<X, Y>
constexpr auto sub(X&& x, Y&& y) { return std::forward<X>(x) - std::forward<Y>(y); }
template <class X, class Y>
requires detail::terms<X, Y>
constexpr auto mul(X&& x, Y&& y) { return std::forward<X>(x) * std::forward<Y>(y); }
template <class X, class Y>
requires detail::terms<X, Y>
constexpr auto div(X&& x, Y&& y) { return std::forward<X>(x) / std::forward<Y>(y); }

// ---- arithmetic with a number

template <operand X> constexpr auto operator*(X&& x, float number) {
  return map(ops::Activation{ops::Activation::Kind::scale, number}, std::forward<X>(x));
}
template <operand X> constexpr auto operator+(X&& x, float number) {
  return map(ops::Activation{ops::Activation::Kind::shift, number}, std::forward<X>(x));
}
template <operand X> constexpr auto operator*(float number, X&& x) { return std::forward<X>(x) * number; }
template <operand X> constexpr auto operator+(float number, X&& x) { return std::forward<X>(x) + number; }
template <operand X> constexpr auto operator-(X&& x, float number) { return std::forward<X>(x) + -number; }
template <operand X> constexpr auto operator/(X&& x, float number) { return std::forward<X>(x) * (1 / number); }
template <operand X> constexpr auto operator-(X&& x) { return std::forward<X>(x) * -1.f; }
template <operand X> constexpr auto operator-(float number, X&& x) { return -std::forward<X>(x) + number; }

/// Matrix product over the last two dimensions, those before them broadcast.
template <class X, class Y>
requires detail::terms<X, Y>
constexpr auto matmul(X&& x, Y&& y) { return combine<ops::Matmul{}>(std::forward<X>(x), std::forward<Y>(y)); }

// ---- losses

/// (x - t)^2.
template <Reduction R = Reduction::mean, operand X, operand Y> constexpr auto mse_loss(X&& x, Y&& target) {
  return combine<ops::PairLoss{ops::PairLoss::Kind::mse, R}>(std::forward<X>(x), std::forward<Y>(target));
}
/// |x - t|.
template <Reduction R = Reduction::mean, operand X, operand Y> constexpr auto l1_loss(X&& x, Y&& target) {
  return combine<ops::PairLoss{ops::PairLoss::Kind::l1, R}>(std::forward<X>(x), std::forward<Y>(target));
}
/// -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)).
template <Reduction R = Reduction::mean, operand X, operand Y>
constexpr auto binary_cross_entropy_with_logits(X&& x, Y&& target) {
  return combine<ops::PairLoss{ops::PairLoss::Kind::bce_with_logits, R}>(std::forward<X>(x), std::forward<Y>(target));
}
/// Options of cross_entropy, with PyTorch's names and defaults.
struct cross_entropy_options {
  Reduction reduction = Reduction::mean;
  int ignore_index = -100;
  double label_smoothing = 0;
  friend constexpr bool operator==(const cross_entropy_options&, const cross_entropy_options&) = default;
};
/// -log(softmax(x)[target]) over dimension 1; targets are int64 class numbers.
template <cross_entropy_options Options = cross_entropy_options{}, operand X, operand Y>
constexpr auto cross_entropy(X&& x, Y&& target) {
  static_assert(std::is_same_v<typename std::remove_cvref_t<Y>::value_type, std::int64_t>,
                "lamina: cross_entropy: targets are class numbers of type std::int64_t");
  return combine<ops::CrossEntropy{Options.reduction, Options.ignore_index, Options.label_smoothing}>(
      std::forward<X>(x), std::forward<Y>(target));
}

}  // namespace lamina
