/// Elementwise arithmetic of two operands with broadcasting: torch.add, sub, mul, div.
#pragma once
#include "operation.hpp"

namespace lamina::ops {

/// y = a (+, -, *, /) b. Extents are aligned at the last dimension; 1 stretches to the other's extent.
struct Binary {
  enum class Kind : unsigned char { add, subtract, multiply, divide };
  static constexpr std::string_view name = "binary";
  static constexpr Role role = Role::epilogue;  // an addition of equal extents; the others run alone
  Kind kind = Kind::add;

  constexpr std::string_view function() const {
    constexpr std::string_view names[] = {"add", "sub", "mul", "div"};
    return names[int(kind)];
  }
  constexpr Text check(const Dims& a, const Dims& b) const {
    for (int i = 1; i <= a.rank && i <= b.rank; ++i) {
      const idx m = a[a.rank - i], n = b[b.rank - i];
      if (m != 1 && n != 1 && !compatible(m, n))
        return Text{} << function() << ": " << a << " and " << b << " do not broadcast";
    }
    return {};
  }
  constexpr Dims shape(const Dims& a, const Dims& b) const {
    const Dims &longer = a.rank >= b.rank ? a : b, &shorter = a.rank >= b.rank ? b : a;
    Dims y = longer;
    for (int i = 1; i <= shorter.rank; ++i) {
      idx& n = y[y.rank - i];
      const idx m = shorter[shorter.rank - i];
      if (n == 1 || (n == dyn && m != 1)) n = m;
    }
    return y;
  }
  friend constexpr bool operator==(const Binary&, const Binary&) = default;
};

}  // namespace lamina::ops
