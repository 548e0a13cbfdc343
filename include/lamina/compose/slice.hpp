/// Slices of containers.
#pragma once
#include "rebuild.hpp"

namespace lamina {

namespace detail {
/// A child of a slice. In a Sequential it goes by the position that it had, unless it has a name.
template <class Child, std::size_t From, std::size_t To> struct with_position {
  using type = named<position_name<From>(), Child>;
};
template <class Child, std::size_t Same> struct with_position<Child, Same, Same> { using type = Child; };
template <fixed_string Name, class Layer, std::size_t From, std::size_t To>
struct with_position<named<Name, Layer>, From, To> {
  using type = named<Name, Layer>;
};
template <fixed_string Name, class Layer, std::size_t Same> struct with_position<named<Name, Layer>, Same, Same> {
  using type = named<Name, Layer>;
};

/// Positions that a slice takes, and those that it leaves.
template <Slice S> struct Inside {
  static constexpr idx size = S.size;
  static constexpr idx at(idx i) { return S.at(i); }
};
template <Slice S, idx Children> struct Outside {
  static constexpr idx size = Children - S.size;
  static constexpr auto left = [] {
    std::array<idx, std::size_t(size) + 1> left{};
    std::size_t n = 0;
    for (idx i = 0; i < Children; ++i)
      if (const idx k = (i - S.first) / S.step; S.size == 0 || k < 0 || k >= S.size || S.at(k) != i) left[n++] = i;
    return left;
  }();
  static constexpr idx at(idx i) { return left[std::size_t(i)]; }
};

template <class Pick, class C> constexpr auto slice_of_sequential(C& list) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return []<std::size_t... From>(C & from, std::index_sequence<From...>) {
      using Children = types<typename with_position<child_at_t<C, From>, From, I>::type...>;
      return rebuild<C>(Children{}, take<child_at_t<C, From>, From>(from)...);
    }
    (list, std::index_sequence<std::size_t(Pick::at(idx(I)))...>{});
  }
  (std::make_index_sequence<std::size_t(Pick::size)>{});
}
}  // namespace detail

/// Python's `list[Begin:End:Step]`: `slice<1>(std::move(list))` is `list[1:]`, `slice<0, -1>` is `list[:-1]`,
/// `slice<0, 6, 2>` is `list[0:6:2]`, `slice<-1, to_the_end, -1>` is `list[::-1]`. As in PyTorch a ModuleList counts
/// anew, and a slice of a Sequential keeps the names of its children, positions too; the next edit counts those anew.
/// (`view` does the same in place.)
template <idx Begin, idx End = to_the_end, idx Step = 1, detail::edited C> constexpr auto slice(C&& list) {
  using T = std::remove_cvref_t<C>;
  if constexpr (detail::takes_rvalue<C, "slice", "slice<0, 2>(std::move(list))">()) {
    using Inside = detail::Inside<detail::slice_of<"slice", Begin, End, Step, T::size()>()>;
    if constexpr (detail::sequential<T>) return detail::slice_of_sequential<Inside>(list);
    else return detail::pick_children<Inside>(list);
  } else return T{};
}

/// The container without a slice of it: `erase<1, 6, 2>(std::move(list))` is Python's `del list[1:6:2]`. PyTorch:
/// `del sequential[1:6:2]`.
template <idx Begin, idx End, idx Step = 1, detail::edited C> constexpr auto erase(C&& list) {
  using T = std::remove_cvref_t<C>;
  if constexpr (detail::takes_rvalue<C, "erase", "erase<0, 2>(std::move(list))">())
    return detail::pick_children<detail::Outside<detail::slice_of<"erase", Begin, End, Step, T::size()>(), T::size()>>(
        list);
  else return T{};
}

}  // namespace lamina
