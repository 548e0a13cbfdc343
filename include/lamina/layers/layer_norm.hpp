/// torch.nn.LayerNorm.
#pragma once
#include "../core/members.hpp"
#include "../ops/norm.hpp"
#include "../tensor/perform.hpp"

namespace lamina {

/// Options of LayerNorm, with PyTorch's names and defaults.
struct layer_norm {
  double eps = 1e-5;
  bool elementwise_affine = true;
  bool bias = true;
  friend constexpr bool operator==(const layer_norm&, const layer_norm&) = default;
};

/// y = (x - mean) / sqrt(var + eps) * weight + bias over the last dimensions, whose extents are Normalized's:
/// `LayerNorm<Shape<768>>`. weight and bias have the extents of Normalized.
/// PyTorch: nn.LayerNorm(normalized_shape, eps=1e-05, elementwise_affine=True, bias=True).
template <shape Normalized, layer_norm Options = layer_norm{}> struct LayerNorm {
  static_assert(is_static(Normalized::dims) && Normalized::dims.rank > 0, "lamina: LayerNorm needs static extents");
  static constexpr ops::LayerNorm operation{Normalized::dims, Options.eps};

  optional_parameter<Options.elementwise_affine, Parameter<Normalized>> weight;
  optional_parameter<Options.elementwise_affine && Options.bias, Parameter<Normalized>> bias;
  LAMINA_MEMBERS(weight, bias)

  template <class X> constexpr auto operator()(X&& x) const& {
    return perform<operation>(*this, std::forward<X>(x), weight, bias);
  }
  template <class X> constexpr void operator()(X&&) const&& { refuse_temporary<LayerNorm, X>(); }

  static void extra_repr(auto& out) {
    out << '(';
    for (int i = 0; i < Normalized::dims.rank; ++i) out << (i ? ", " : "") << int(Normalized::dims[i]);
    out << (Normalized::dims.rank == 1 ? ",)" : ")");
    out << ", eps=" << Options.eps << ", elementwise_affine=" << Options.elementwise_affine
        << ", bias=" << (Options.elementwise_affine && Options.bias);
  }
};

}  // namespace lamina
