/// Bounded expressions of eager evaluation. A convolution, transposed convolution or linear layer on a tensor computes
/// nothing yet: it returns a `Pending`, and a batch norm, an addition and an activation that follow on it become part
/// of it, so that one kernel computes all of them while the result is in registers. Anything else, or a name, computes
/// it.
#pragma once
#include "../ops/all.hpp"
#include "../tensor/perform.hpp"
#include "kernel_call.hpp"
#include <cmath>
#include <vector>

namespace lamina::inline LAMINA_ISA {

namespace eager {
/// What a pending expression holds: shares of all memory that it reads, so that it may outlive the layers and tensors
/// that made it.
struct Held {
  Storage x{};
  Dims x_dims{}, dims{};
  Storage parameters[4]{};
  Storage norm[4]{};
  ops::BatchNorm norm_operation{};
  bool has_norm = false;
  Storage residual{};
  ops::Activation activation{};
};

/// A batch norm with running statistics as factors and terms of its channels, factors first.
inline std::vector<float> scale_and_shift(const Held& held) {
  const std::size_t channels = std::size_t(held.norm_operation.num_features);
  const auto values = [&](int slot) { return reinterpret_cast<const float*>(held.norm[slot].data()); };
  std::vector<float> both(2 * channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const double gamma = held.norm_operation.affine ? values(0)[c] : 1,
                 beta = held.norm_operation.affine ? values(1)[c] : 0;
    const double factor = gamma / std::sqrt(double(values(3)[c]) + held.norm_operation.eps);
    both[c] = float(factor);
    both[channels + c] = float(beta - factor * double(values(2)[c]));
  }
  return both;
}

/// Runs the kernel of a producer and what is fused to it into `out`.
template <auto Producer> void evaluate(const Held& held, float* out) {
  std::vector<float> norm;
  if (held.has_norm) norm = scale_and_shift(held);
  const cpu::Input x = input_of(held.x, held.x_dims, Dtype::float32);
  const cpu::Input residual = input_of(held.residual, held.dims, Dtype::float32);
  cpu::Call call;
  call.in = &x;
  call.inputs = 1;
  call.out = output_of(out, held.dims);
  for (int k = 0; k < 4; ++k)
    if (held.parameters[k]) call.parameters[k] = input_of(held.parameters[k], {}, Dtype::float32);
  if (held.has_norm) {
    call.epilogue.scale = norm.data();
    call.epilogue.shift = norm.data() + norm.size() / 2;
  }
  if (held.residual) call.epilogue.residual = &residual;
  call.epilogue.activation = held.activation;
  run_with_scratch<Producer>(call);
}
}  // namespace eager

/// The result of a producer that is not computed yet, with what is fused to it: an expression template of bounded
/// length. `Producer` and `Epilogues` are operations; S is the shape type of the result. It stands for a tensor: `auto
/// y = net(x); y(0, 3);`, or `Tensor<float, Shape<1, 10>> y = net(x);`. It computes at most once, when it is read or
/// copied, and shares the result.
template <shape S, auto Producer, auto... Epilogues> class Pending {
  template <shape, auto, auto...> friend class Pending;
  mutable eager::Held held;
  mutable Tensor<float, S> result = empty();

  static Tensor<float, S> empty() { return Tensor<float, S>(Storage(), is_static(S::dims) ? S::dims : zero_dims()); }
  static constexpr Dims zero_dims() {
    Dims dims = S::dims;
    for (int i = 0; i < dims.rank; ++i)
      if (dims[i] == dyn) dims[i] = 0;
    return dims;
  }

 public:
  using shape_type = S;
  using value_type = float;
  static constexpr bool has_norm = (std::is_same_v<std::remove_const_t<decltype(Epilogues)>, ops::BatchNorm> || ...);
  static constexpr bool has_sum = (std::is_same_v<std::remove_const_t<decltype(Epilogues)>, ops::Binary> || ...);
  static constexpr bool has_activation =
      (std::is_same_v<std::remove_const_t<decltype(Epilogues)>, ops::Activation> || ...);
  /// The channels of a batch norm are dimension 1, which is a linear layer's last only for [N, C].
  static constexpr bool norm_fits =
      !std::is_same_v<std::remove_const_t<decltype(Producer)>, ops::Linear> || S::dims.rank == 2;

  explicit Pending(eager::Held h) : held(std::move(h)) {}
  Pending(Pending&&) = default;
  /// A copy of something pending computes it, so that both share one result.
  Pending(const Pending& other) : result(other.value()) {}
  Pending& operator=(const Pending&) = delete;

  /// The computed tensor.
  const Tensor<float, S>& value() const {
    if (!result.storage()) {
      Tensor<float, S> fresh(Storage::uninitialized(std::size_t(count(held.dims)) * sizeof(float)), held.dims);
      eager::evaluate<Producer>(held, fresh.data());
      result = std::move(fresh);
      held = {};
    }
    return result;
  }
  template <shape Other>
  requires(compatible(S::dims, Other::dims)) operator Tensor<float, Other>() const {
    return Tensor<float, Other>(value());
  }
  const float* data() const { return value().data(); }
  const Dims& dims() const { return value().dims(); }
  idx size() const { return value().size(); }
  std::span<const float> span() const { return value().span(); }
  template <class... I>
  requires(sizeof...(I) == std::size_t(S::dims.rank)) const float& operator()(I... at) const { return value()(at...); }

  /// The expression with one more epilogue; what it holds moves over, changed by `extend`.
  template <auto Epilogue, class Extend> auto then(Extend&& extend) && {
    extend(held);
    return Pending<S, Producer, Epilogues..., Epilogue>(std::move(held));
  }
};

template <class T> inline constexpr bool is_pending = false;
template <class S, auto P, auto... E> inline constexpr bool is_pending<Pending<S, P, E...>> = true;

}  // namespace lamina::inline LAMINA_ISA
