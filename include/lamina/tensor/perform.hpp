/// The one door between layers and readings. A layer hands its operation, itself, its operand and its parameters to
/// `perform`; functions of several operands go through `combine`. Which reading answers (eager evaluation on tensors,
/// meta evaluation on shapes) is decided by the type of the operand: each reading specialises `reading`. Shapes that
/// are known at compile time are checked here, once for all readings.
#pragma once
#include "../ops/activation.hpp"
#include "../ops/reshape.hpp"
#include "parameter.hpp"

namespace lamina {

/// How operands of type X are read. A specialisation has
///   perform<Op, S, Layer>(const Layer*, X&&, const P&... parameters)   one operand
///   combine<Op, S>(X&&...)                                            several operands
///   map(const ops::Activation&, X&&)                                  a function whose parameter only the run knows
///   materialise(X&&)                                                  everything pending computed
///   value<S, T>                                                       the type of an operand with nothing pending
///   computes                                                          true if it computes elements
/// and, if it wants to know what modules return,
///   gave(const M& module, X&&)                                        which returns the operand to go on with
/// as static constexpr templates, where S is the shape type of the result, and X::shape_type names the operand's
/// extents.
template <class X> struct reading { static constexpr bool defined = false; };

/// What layers and functions compute with: a tensor, a pending expression, or a shape.
template <class X>
concept operand = reading<std::remove_cvref_t<X>>::defined;

namespace detail {
template <class X> struct operand_shape { using type = typename std::remove_cvref_t<X>::shape_type; };
template <class X> using operand_shape_t = typename operand_shape<X>::type;

/// A type of its own, so that the sentence is made once an operation, layer and shapes.
template <auto Op, class Layer, shape... In> constexpr void require_valid() {
  constexpr Text fault = Op.check(In::dims...);
  if constexpr (!fault.empty()) {
    if constexpr (std::is_void_v<Layer>) fail<fault>();
    else fail<Text{} << type_label<Layer>() << ": " << fault>();
  }
}
template <auto Op, shape... In> using result_shape = shape_of<Op.shape(In::dims...)>;
}  // namespace detail

namespace detail {
/// Applies an operation that belongs to no layer to an operand whose extents fit.
template <auto Op, class X> constexpr auto apply(X&& x) {
  return reading<std::remove_cvref_t<X>>::template perform<Op, result_shape<Op, operand_shape_t<X>>>(
      static_cast<const void*>(nullptr), std::forward<X>(x));
}
}  // namespace detail

/// What `module` returns, y, after a reading that wants to know of it was told.
template <class M, class Y> constexpr auto given(const M& module, Y&& y) {
  if constexpr (requires { reading<std::remove_cvref_t<Y>>::gave(module, std::forward<Y>(y)); })
    return reading<std::remove_cvref_t<Y>>::gave(module, std::forward<Y>(y));
  else return std::remove_cvref_t<Y>(std::forward<Y>(y));
}

/// Applies an operation with a layer's parameters to one operand.
template <auto Op, class Layer, class X, class... P>
constexpr auto perform(const Layer& layer, X&& x, const P&... parameters) {
  if constexpr (!operand<X>) {
    fail<Text{} << type_label<Layer>() << " needs a tensor; it was called with "
                << class_name<std::remove_cvref_t<X>>()>();
  } else if constexpr (ops::takes_one_image<Op> && detail::operand_shape_t<X>::dims.rank == 3) {
    auto batch = detail::apply<ops::Unsqueeze{0}>(std::forward<X>(x));
    auto image = perform<Op>(layer, std::move(batch), parameters...);
    return given(layer, detail::apply<ops::Flatten{0, 1}>(std::move(image)));
  } else {
    using In = detail::operand_shape_t<X>;
    detail::require_valid<Op, Layer, In>();
    if constexpr (Op.check(In::dims).empty())
      return given(layer, reading<std::remove_cvref_t<X>>::template perform<Op, detail::result_shape<Op, In>>(
                              &layer, std::forward<X>(x), parameters...));
    else return std::remove_cvref_t<X>(x);  // the sentence is out; what follows shall not add to it
  }
}

/// The call of a temporary layer, which would take its weights along: `Linear<4, 2>{}(x)`.
template <class Layer, class... X> constexpr void refuse_temporary() {
  fail<Text{} << "a temporary " << type_label<Layer>() << " is called: give the layer a name, it owns its weights",
       X...>();
}

namespace detail {
template <class... X> struct first_operand;
template <class X, class... Rest> struct first_operand<X, Rest...> : first_operand<Rest...> {};
template <operand X, class... Rest> struct first_operand<X, Rest...> { using type = std::remove_cvref_t<X>; };
template <class X, class... Rest> constexpr X first(const X& x, const Rest&...) { return x; }
}  // namespace detail

/// Applies an operation to several operands: tensors of one reading, or parameters.
template <auto Op, class... X> constexpr auto combine(X&&... x) {
  detail::require_valid<Op, void, detail::operand_shape_t<X>...>();
  if constexpr (Op.check(detail::operand_shape_t<X>::dims...).empty())
    return reading<typename detail::first_operand<X...>::type>::template combine<
        Op, detail::result_shape<Op, detail::operand_shape_t<X>...>>(std::forward<X>(x)...);
  else return detail::first(x...);
}

/// Applies an elementwise function whose parameter only the run knows: `x * factor`.
template <operand X> constexpr auto map(const ops::Activation& function, X&& x) {
  return reading<std::remove_cvref_t<X>>::map(function, std::forward<X>(x));
}

/// The operand with everything pending computed: a tensor stays as it is.
template <operand X> constexpr auto materialise(X&& x) {
  return reading<std::remove_cvref_t<X>>::materialise(std::forward<X>(x));
}

}  // namespace lamina
