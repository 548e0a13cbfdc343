/// torch.nn.Upsample.
#pragma once
#include "../core/members.hpp"
#include "../ops/upsample.hpp"
#include "../tensor/perform.hpp"

namespace lamina {

/// How Upsample fills in: "nearest" or "bilinear".
struct UpsampleMode {
  ops::Upsample::Mode mode = ops::Upsample::Mode::nearest;
  constexpr UpsampleMode(const char* word)
      : mode(detail::equal_words(word, "nearest")    ? ops::Upsample::Mode::nearest
             : detail::equal_words(word, "bilinear") ? ops::Upsample::Mode::bilinear
                                                     : throw "mode is \"nearest\" or \"bilinear\"") {}
  friend constexpr bool operator==(const UpsampleMode&, const UpsampleMode&) = default;
};

/// Options of Upsample, with PyTorch's names and defaults; one of size and scale_factor is given.
struct upsample {
  Size2 size = none;
  Scale2 scale_factor{};
  UpsampleMode mode = "nearest";
  bool align_corners = false;
  friend constexpr bool operator==(const upsample&, const upsample&) = default;
};

/// Resizes [N, C, H, W] to a size, or by a factor (rounded down). PyTorch: nn.Upsample(size=None, scale_factor=None,
/// mode='nearest', align_corners=None).
template <upsample Options> struct Upsample {
  static_assert((Options.size == Size2(none)) == Options.scale_factor.given(),
                "lamina: Upsample needs one of size and scale_factor: Upsample<upsample{.scale_factor = 2}>");
  static_assert(!Options.align_corners || Options.mode.mode != ops::Upsample::Mode::nearest,
                "lamina: Upsample: align_corners goes with mode \"bilinear\"");
  static constexpr ops::Upsample operation{Options.size.height,        Options.size.width, Options.scale_factor.height,
                                           Options.scale_factor.width, Options.mode.mode,  Options.align_corners};
  LAMINA_MEMBERS()
  template <class X> constexpr auto operator()(X&& x) const { return perform<operation>(*this, std::forward<X>(x)); }

  static void extra_repr(auto& out) {
    const auto& options = Options;  // clang 18 to 20 misread members of a template argument (llvm-project issue 146272)
    if (options.scale_factor.given()) out << "scale_factor=" << options.scale_factor;
    else out << "size=" << options.size;
    out << ", mode='" << (options.mode.mode == ops::Upsample::Mode::nearest ? "nearest" : "bilinear") << "'";
  }
};

}  // namespace lamina
