/// The same elements under other extents: torch.flatten, unsqueeze, reshape, and the identity.
#pragma once
#include "operation.hpp"

namespace lamina::ops {

/// y = x: nn.Identity, and dropout outside training.
struct Identity {
  static constexpr std::string_view name = "identity";
  static constexpr Role role = Role::alias;
  constexpr Text check(const Dims&) const { return {}; }
  constexpr Dims shape(const Dims& x) const { return x; }
  friend constexpr bool operator==(const Identity&, const Identity&) = default;
};

/// y = x in memory of its own, in the layout that its readers want: what a plan puts between two operations.
struct Copy {
  static constexpr std::string_view name = "copy";
  static constexpr Role role = Role::plain;
  constexpr Text check(const Dims&) const { return {}; }
  constexpr Dims shape(const Dims& x) const { return x; }
  friend constexpr bool operator==(const Copy&, const Copy&) = default;
};

/// Merges the dimensions start to end (both included, negative from the back) into one.
struct Flatten {
  static constexpr std::string_view name = "flatten";
  static constexpr Role role = Role::alias;
  int start_dim = 1, end_dim = -1;

  constexpr Text check(const Dims& x) const {
    const int first = wrap_dim(start_dim, x.rank), last = wrap_dim(end_dim, x.rank);
    if (x.rank > 0 && (first < 0 || last >= x.rank || first > last))
      return Text{} << "dimensions " << start_dim << " to " << end_dim << " are no range of " << x;
    return {};
  }
  constexpr Dims shape(const Dims& x) const {
    if (x.rank == 0) return {1};
    const int first = wrap_dim(start_dim, x.rank), last = wrap_dim(end_dim, x.rank);
    Dims y;
    for (int i = 0; i < first; ++i) y.extent[y.rank++] = x[i];
    y.extent[y.rank++] = product(x, first, last + 1);
    for (int i = last + 1; i < x.rank; ++i) y.extent[y.rank++] = x[i];
    return y;
  }
  friend constexpr bool operator==(const Flatten&, const Flatten&) = default;
};

/// Inserts a dimension of extent 1 at `dim` (negative: counted behind the last).
struct Unsqueeze {
  static constexpr std::string_view name = "unsqueeze";
  static constexpr Role role = Role::alias;
  int dim = 0;

  constexpr Text check(const Dims& x) const {
    const int d = wrap_dim(dim, x.rank + 1);
    if (d < 0 || d > x.rank) return Text{} << "unsqueeze: dimension " << dim << " is out of range for " << x;
    if (x.rank == max_rank) return Text{} << "unsqueeze: " << x << " has the largest number of dimensions already";
    return {};
  }
  constexpr Dims shape(const Dims& x) const {
    const int d = wrap_dim(dim, x.rank + 1);
    Dims y;
    for (int i = 0; i <= x.rank; ++i) y.extent[y.rank++] = i < d ? x[i] : i == d ? 1 : x[i - 1];
    return y;
  }
  friend constexpr bool operator==(const Unsqueeze&, const Unsqueeze&) = default;
};

/// The same number of elements under the extents `to`, one of which may be -1: whatever is left.
struct Reshape {
  static constexpr std::string_view name = "reshape";
  static constexpr Role role = Role::alias;
  Dims to{};

  constexpr Text check(const Dims& x) const {
    const idx n = count(x), given = rest();
    if (n == dyn) return {};
    if (given < 0 || (inferred() < 0 ? n != given : given == 0 || n % given != 0))
      return Text{} << "reshape: " << x << " does not fit into " << to;
    return {};
  }
  constexpr Dims shape(const Dims& x) const {
    Dims y = to;
    const int i = inferred();
    if (i >= 0) y[i] = count(x) == dyn ? dyn : count(x) / rest();
    return y;
  }
  friend constexpr bool operator==(const Reshape&, const Reshape&) = default;

 private:
  constexpr int inferred() const {
    for (int i = 0; i < to.rank; ++i)
      if (to[i] == -1) return i;
    return -1;
  }
  /// Product of the given extents; -1 if more than one is to be inferred.
  constexpr idx rest() const {
    idx n = 1;
    int open = 0;
    for (idx e : to) e == -1 ? void(++open) : void(n *= e);
    return open > 1 ? -1 : n;
  }
};

}  // namespace lamina::ops
