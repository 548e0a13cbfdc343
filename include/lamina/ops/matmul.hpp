/// Matrix product: torch.matmul.
#pragma once
#include "binary.hpp"

namespace lamina::ops {

/// y[..., i, j] = sum over k of a[..., i, k] * b[..., k, j]. Operands of at least two dimensions; those before the last
/// two broadcast.
struct Matmul {
  static constexpr std::string_view name = "matmul";
  static constexpr Role role = Role::plain;

  constexpr Text check(const Dims& a, const Dims& b) const {
    if (a.rank < 2 || b.rank < 2) return Text{} << "matmul: needs matrices, the operands are " << a << " and " << b;
    if (!compatible(a[a.rank - 1], b[b.rank - 2]))
      return Text{} << "matmul: " << a << " and " << b << " differ in the dimension that is summed over";
    if (!Binary{}.check(batch(a), batch(b)).empty())
      return Text{} << "matmul: " << a << " and " << b << " do not broadcast before the last two dimensions";
    return {};
  }
  constexpr Dims shape(const Dims& a, const Dims& b) const {
    Dims y = Binary{}.shape(batch(a), batch(b));
    y.extent[y.rank++] = a[a.rank - 2];
    y.extent[y.rank++] = b[b.rank - 1];
    return y;
  }
  constexpr idx macs(const Dims& a, const Dims& b) const { return count(shape(a, b)) * a[a.rank - 1]; }
  friend constexpr bool operator==(const Matmul&, const Matmul&) = default;

 private:
  static constexpr Dims batch(Dims d) {
    d.rank -= 2;
    d[d.rank] = d[d.rank + 1] = 0;
    return d;
  }
};

}  // namespace lamina::ops
