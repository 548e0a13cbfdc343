/// Concatenation: torch.cat.
#pragma once
#include "operation.hpp"

namespace lamina::ops {

/// The operands behind one another along `dim` (negative from the back); all other extents agree.
struct Cat {
  static constexpr std::string_view name = "cat";
  static constexpr Role role = Role::plain;
  int dim = 0;

  template <class... D> constexpr Text check(const Dims& first, const D&... rest) const {
    const int axis = wrap_dim(dim, first.rank);
    if (axis < 0 || axis >= first.rank) return Text{} << "cat: dimension " << dim << " is out of range for " << first;
    Text fault;
    [[maybe_unused]] const auto compare = [&](const Dims& other) {
      if (!fault.empty()) return;
      bool agree = other.rank == first.rank;
      for (int i = 0; agree && i < first.rank; ++i) agree = i == axis || compatible(first[i], other[i]);
      if (!agree) fault << "cat<" << dim << ">: " << first << " and " << other << " differ outside dimension " << axis;
    };
    (compare(rest), ...);
    return fault;
  }
  template <class... D> constexpr Dims shape(const Dims& first, const D&... rest) const {
    Dims y = first;
    const int axis = wrap_dim(dim, first.rank);
    [[maybe_unused]] const auto add = [&](const Dims& other) {
      y[axis] = y[axis] == dyn || other[axis] == dyn ? dyn : y[axis] + other[axis];
      for (int i = 0; i < y.rank; ++i)
        if (i != axis && y[i] == dyn) y[i] = other[i];
    };
    (add(rest), ...);
    return y;
  }
  friend constexpr bool operator==(const Cat&, const Cat&) = default;
};

}  // namespace lamina::ops
