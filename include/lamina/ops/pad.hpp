/// Constant padding: torch.nn.functional.pad, and padding to the size of another tensor.
#pragma once
#include "operation.hpp"

namespace lamina::ops {

/// Adds before[i] and after[i] elements of `value` to dimension i; negative numbers cut.
struct Pad {
  static constexpr std::string_view name = "pad";
  static constexpr Role role = Role::plain;
  int pairs = 0;  // given pairs (before, after), last dimension first, as torch writes them
  int amounts[2 * max_rank]{};
  float value = 0;

  constexpr int before(int i, int rank) const { return rank - 1 - i < pairs ? amounts[2 * (rank - 1 - i)] : 0; }
  constexpr int after(int i, int rank) const { return rank - 1 - i < pairs ? amounts[2 * (rank - 1 - i) + 1] : 0; }

  constexpr Text check(const Dims& x) const {
    if (pairs > x.rank) return Text{} << "pad: " << pairs << " pairs are given, the input is " << x;
    for (int i = 0; i < x.rank; ++i)
      if (x[i] != dyn && x[i] + before(i, x.rank) + after(i, x.rank) < 0)
        return Text{} << "pad: nothing is left of " << x;
    return {};
  }
  constexpr Dims shape(Dims x) const {
    for (int i = 0; i < x.rank; ++i)
      if (x[i] != dyn) x[i] += before(i, x.rank) + after(i, x.rank);
    return x;
  }
  friend constexpr bool operator==(const Pad&, const Pad&) = default;
};

/// x with zeros around it (or cut), to the height and width of `like`: floor of half the difference before, the rest
/// after.
struct PadTo {
  static constexpr std::string_view name = "pad_to";
  static constexpr Role role = Role::plain;

  constexpr Text check(const Dims& x, const Dims& like) const {
    if (x.rank != 4 || like.rank != 4)
      return Text{} << "pad_to: needs [N, C, H, W], the operands are " << x << " and " << like;
    return {};
  }
  constexpr Dims shape(const Dims& x, const Dims& like) const { return {x[0], x[1], like[2], like[3]}; }
  friend constexpr bool operator==(const PadTo&, const PadTo&) = default;

  /// Elements before the first of x: floor of half the difference, also for negative differences, as Python's `//`.
  static constexpr idx before(idx from, idx to) { return (to - from) >= 0 ? (to - from) / 2 : -((from - to + 1) / 2); }
};

}  // namespace lamina::ops
