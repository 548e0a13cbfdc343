/// Operands that are watched on their way through a forward: a reading around any other reading. Each module that
/// lamina sees return (a layer, a Sequential, a child that a Sequential calls) shows its result to a recorder.
#pragma once
#include "perform.hpp"
#include <optional>
#include <utility>

namespace lamina::detail {

/// An operand X and who watches it. A `Recorder` has
///   wants<M, X>            true if results X of modules M may be asked for: they are computed then
///   gave(module, value)    notes a result
///   may_stop               true if nothing needs computing any more from some call on; then
///   stopped()              says whether it is so, and operands from there on are empty
template <class X, class Recorder> struct Watched {
  using shape_type = typename X::shape_type;
  using value_type = typename X::value_type;
  std::conditional_t<Recorder::may_stop, std::optional<X>, X> x;
  Recorder* recorder;

  constexpr bool empty() const {
    if constexpr (Recorder::may_stop) return !x.has_value();
    else return false;
  }
};
template <class X, class Recorder> constexpr auto watch(X&& x, Recorder* recorder) {
  return Watched<std::remove_cvref_t<X>, Recorder>{std::forward<X>(x), recorder};
}

template <class X> inline constexpr bool is_watched = false;
template <class X, class R> inline constexpr bool is_watched<Watched<X, R>> = true;

/// The operand itself, in the value category of what is watched.
template <class W> constexpr auto&& unwatched(W&& w) {
  if constexpr (!is_watched<std::remove_cvref_t<W>>) return std::forward<W>(w);
  else if constexpr (std::remove_pointer_t<decltype(w.recorder)>::may_stop) return *std::forward<W>(w).x;
  else return std::forward<W>(w).x;
}
template <class W> using unwatched_t = std::remove_cvref_t<decltype(unwatched(std::declval<W>()))>;

struct WatchedReading {
  static constexpr bool defined = true;

  template <auto Op, class S, class Layer, class W, class... P>
  static constexpr auto perform(const Layer* layer, W&& w, const P&... parameters) {
    return follow(w.recorder, w.empty(), [&] {
      return reading<unwatched_t<W>>::template perform<Op, S>(layer, unwatched(std::forward<W>(w)), parameters...);
    });
  }
  template <auto Op, class S, class... W> static constexpr auto combine(W&&... w) {
    using First = typename first_operand<unwatched_t<W>...>::type;
    return follow(recorder_of(w...), (is_empty(w) || ...),
                  [&] { return reading<First>::template combine<Op, S>(unwatched(std::forward<W>(w))...); });
  }
  template <class W> static constexpr auto map(const ops::Activation& function, W&& w) {
    return follow(w.recorder, w.empty(),
                  [&] { return reading<unwatched_t<W>>::map(function, unwatched(std::forward<W>(w))); });
  }
  template <class W> static constexpr auto materialise(W&& w) {
    return follow(w.recorder, w.empty(),
                  [&] { return reading<unwatched_t<W>>::materialise(unwatched(std::forward<W>(w))); });
  }

  /// A module has returned `w`.
  template <class M, class W> static constexpr auto gave(const M& module, W&& w) {
    using Recorder = std::remove_pointer_t<decltype(w.recorder)>;
    if constexpr (!Recorder::template wants<M, unwatched_t<W>>) return std::remove_cvref_t<W>(std::forward<W>(w));
    else {
      auto value = materialise(std::forward<W>(w));
      if (!value.empty()) value.recorder->gave(module, unwatched(value));
      return value;
    }
  }

 private:
  template <class Recorder, class F> static constexpr auto follow(Recorder* recorder, bool empty, F&& f) {
    if constexpr (Recorder::may_stop) {
      if (empty || recorder->stopped()) return Watched<decltype(f()), Recorder>{std::nullopt, recorder};
    }
    return watch(f(), recorder);
  }
  template <class W> static constexpr bool is_empty(const W& w) {
    if constexpr (is_watched<W>) return w.empty();
    else return false;
  }
  template <class W, class... Rest> static constexpr auto recorder_of(const W& w, const Rest&... rest) {
    if constexpr (is_watched<W>) return w.recorder;
    else return recorder_of(rest...);
  }
};

}  // namespace lamina::detail

namespace lamina {
template <class X, class R> struct reading<detail::Watched<X, R>> : detail::WatchedReading {};
}  // namespace lamina
