/// Bounded expressions of eager evaluation. A convolution, transposed convolution or linear layer on a tensor computes
/// nothing yet: it returns a `Pending`, and a batch norm, an addition and an activation that follow on it become part
/// of it, so that one kernel computes all of them while the result is in registers. Anything else, or a name, computes
/// it.
#pragma once
#include "../ops/all.hpp"
#include "../tensor/perform.hpp"
#include "packed.hpp"

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
  Storage residual{};
  ops::Activation activation{};
};

/// Runs the kernel of a producer and what is fused to it into `out`.
template <class Op> void evaluate_on_host(const Op& op, const Held& held, float* out) {
  const host::Method method = host::planar_method(op, held.x_dims, CompileOptions{});
  const PackedForms::Form form = packed(op, method, held.parameters, held.norm, held.norm_operation.eps);
  const host::Input x = input_of(held.x, held.x_dims, Dtype::float32);
  const host::Input residual = input_of(held.residual, held.dims, Dtype::float32);
  host::Call call;
  call.in = &x;
  call.inputs = 1;
  call.out = output_of(out, held.dims);
  call.parameters[0].data = form.weight.data();
  call.parameters[1].data = form.bias.data();
  if (held.residual) call.epilogue.residual = &residual;
  call.epilogue.activation = held.activation;
  call.method = method;
  call.threads = num_threads();
  host::run_planar(op, call);
}
[[gnu::noinline]] inline Storage evaluate_on_device(const Operation& operation, const Held& held) {
  const Evaluation::Operand operand{&held.x, held.x_dims, Dtype::float32};
  return held.x.memory()->evaluate({.operation = operation,
                                    .operands = &operand,
                                    .operand_count = 1,
                                    .parameters = held.parameters,
                                    .dims = held.dims,
                                    .norm = held.norm[2] ? held.norm : nullptr,  // the mean is always there
                                    .norm_operation = held.norm_operation,
                                    .residual = held.residual ? &held.residual : nullptr,
                                    .activation = held.activation});
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
      if (held.x.memory()) {
        result = Tensor<float, S>(eager::evaluate_on_device(operation_of(Producer), held), held.dims);
      } else {
        Tensor<float, S> fresh(Storage::uninitialized(std::size_t(count(held.dims)) * sizeof(float)), held.dims);
        eager::evaluate_on_host(Producer, held, fresh.data());
        result = std::move(fresh);
      }
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
