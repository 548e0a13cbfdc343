/// torch.nn.BatchNorm1d and BatchNorm2d.
#pragma once
#include "../core/members.hpp"
#include "../core/size.hpp"
#include "../ops/norm.hpp"
#include "../tensor/perform.hpp"

namespace lamina {

/// Options of BatchNorm1d and BatchNorm2d, with PyTorch's names and defaults; `.momentum = none` averages cumulatively.
struct batch_norm {
  double eps = 1e-5;
  OptionalNumber momentum = 0.1;
  bool affine = true;
  bool track_running_stats = true;
  friend constexpr bool operator==(const batch_norm&, const batch_norm&) = default;
};

namespace detail {
template <int NumFeatures, batch_norm Options, int MinRank, int MaxRank> struct BatchNorm {
  static_assert(NumFeatures > 0, "lamina: BatchNorm needs at least one feature");
  static constexpr int lamina_version = 2;  // with num_batches_tracked, as state_dicts of PyTorch say
  static constexpr ops::BatchNorm operation{NumFeatures, Options.eps, Options.affine, Options.track_running_stats,
                                            MinRank,     MaxRank};

  optional_parameter<Options.affine, Parameter<Shape<NumFeatures>>> weight;
  optional_parameter<Options.affine, Parameter<Shape<NumFeatures>>> bias;
  optional_parameter<Options.track_running_stats, Buffer<Shape<NumFeatures>>> running_mean;
  optional_parameter<Options.track_running_stats, Buffer<Shape<NumFeatures>>> running_var;
  optional_parameter<Options.track_running_stats, Buffer<Shape<>, std::int64_t>> num_batches_tracked;
  LAMINA_MEMBERS(weight, bias, running_mean, running_var, num_batches_tracked)

  static void extra_repr(auto& out) {
    const auto& options = Options;  // clang 18 to 20 misread members of a template argument (llvm-project issue 146272)
    out << NumFeatures << ", eps=" << options.eps << ", momentum=" << options.momentum << ", affine=" << options.affine
        << ", track_running_stats=" << options.track_running_stats;
  }
};
}  // namespace detail

/// Batch normalisation per channel of [N, NumFeatures] or [N, NumFeatures, L]:
///   y = (x - mean) / sqrt(var + eps) * weight + bias
/// with the running statistics, or those of the batch where track_running_stats is false.
/// PyTorch: nn.BatchNorm1d(num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True).
template <int NumFeatures, batch_norm Options = batch_norm{}>
struct BatchNorm1d : detail::BatchNorm<NumFeatures, Options, 2, 3> {
  template <class X> constexpr auto operator()(X&& x) const& {
    return perform<BatchNorm1d::operation>(*this, std::forward<X>(x), this->weight, this->bias, this->running_mean,
                                           this->running_var);
  }
  template <class X> constexpr void operator()(X&&) const&& { refuse_temporary<BatchNorm1d, X>(); }
};

/// Batch normalisation per channel of [N, NumFeatures, H, W]; formula and options as BatchNorm1d.
/// PyTorch: nn.BatchNorm2d(num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True).
template <int NumFeatures, batch_norm Options = batch_norm{}>
struct BatchNorm2d : detail::BatchNorm<NumFeatures, Options, 4, 4> {
  template <class X> constexpr auto operator()(X&& x) const& {
    return perform<BatchNorm2d::operation>(*this, std::forward<X>(x), this->weight, this->bias, this->running_mean,
                                           this->running_var);
  }
  template <class X> constexpr void operator()(X&&) const&& { refuse_temporary<BatchNorm2d, X>(); }
};

}  // namespace lamina
