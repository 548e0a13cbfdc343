/// Eager evaluation: a forward called on tensors computes. Producers return bounded expressions (pending.hpp);
/// everything else runs its kernel at once.
#pragma once
#include "../core/error.hpp"
#include "pending.hpp"

namespace lamina::inline LAMINA_ISA {

namespace eager {
template <class Op, auto Value> inline constexpr bool holds = std::is_same_v<std::remove_const_t<decltype(Value)>, Op>;

/// What is read where nothing is pending: a tensor, the value of an expression, a copy of a view, a parameter.
template <class T, class S> const Tensor<T, S>& tensor_of(const Tensor<T, S>& x) { return x; }
template <class T, class S> Tensor<std::remove_const_t<T>, S> tensor_of(const TensorView<T, S>& x) {
  return Tensor<std::remove_const_t<T>, S>(TensorView<const T, S>(x.data(), x.dims()));
}
template <class S, auto P, auto... E> const Tensor<float, S>& tensor_of(const Pending<S, P, E...>& x) {
  return x.value();
}
template <stored P> Tensor<typename P::value_type, typename P::shape_type> tensor_of(const P& parameter) {
  return {share(parameter, [] { return Text{} << "an operand"; }), P::dims};
}

template <class Layer> constexpr Text label_of() {
  if constexpr (std::is_void_v<Layer>) return {};
  else if constexpr (requires { Layer::operation; }) return type_label<Layer>();
  else return Text{} << class_name<Layer>();
}

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_shape(Label label, const Text& fault) {
  throw shape_error(std::string((beginning(label) << fault).view()));
}
/// The extents of the result, checked where types leave them open.
template <auto Op, class... D> Dims checked(Label owner, const D&... dims) {
  if (const Text fault = Op.check(dims...); !fault.empty()) refuse_shape(owner, fault);
  return Op.shape(dims...);
}
/// A share of a parameter that is read together with a tensor.
template <class Layer, class P> Storage share_with(const Storage& x, const Dims& dims, const P& parameter) {
  Storage storage = share(parameter, label_of<Layer>);
  require_together(label_of<Layer>, x, dims, "a parameter", storage);
  return storage;
}
template <class T, class S> Evaluation::Operand operand_of(const Tensor<T, S>& x) {
  return {&x.storage(), x.dims(), dtype_of<T>};
}

struct Reading {
  static constexpr bool defined = true, computes = true;

  template <class X> static auto materialise(X&& x) {
    // A copy of the handle: the tensor that comes out stays valid on its own.
    return std::remove_cvref_t<decltype(tensor_of(x))>(tensor_of(x));
  }
  template <class S, class T> using value = Tensor<T, S>;

  template <auto Op, class S, class Layer, class X, class... P>
  static auto perform(const Layer*, X&& x, const P&... parameters) {
    using Expression = std::remove_cvref_t<X>;
    constexpr bool extends = is_pending<Expression> && std::is_rvalue_reference_v<X&&>;
    if constexpr (holds<ops::Identity, Op>) return Expression(std::forward<X>(x));
    else if constexpr (Op.role == ops::Role::alias) {
      const auto t = materialise(x);
      return Tensor<typename Expression::value_type, S>(t.storage(), checked<Op>(label_of<Layer>, t.dims()));
    } else if constexpr (Op.role == ops::Role::producer) {
      const auto t = materialise(x);
      Held held{.x = t.storage(), .x_dims = t.dims(), .dims = checked<Op>(label_of<Layer>, t.dims())};
      int slot = 0;
      ((held.parameters[slot++] = share_with<Layer>(held.x, held.x_dims, parameters)), ...);
      return Pending<S, Op>(std::move(held));
    } else if constexpr (extends && holds<ops::BatchNorm, Op>) {
      if constexpr (Op.tracked && Expression::norm_fits && !Expression::has_norm && !Expression::has_sum &&
                    !Expression::has_activation) {
        return std::move(x).template then<Op>([&](Held& held) {
          int slot = 0;
          ((held.norm[slot++] = share_with<Layer>(held.x, held.x_dims, parameters)), ...);
          held.norm_operation = Op;
        });
      } else return compute<Op, S, Layer>(x, parameters...);
    } else if constexpr (extends && holds<ops::Activation, Op>) {
      if constexpr (!Expression::has_activation)
        return std::move(x).template then<Op>([](Held& held) { held.activation = Op; });
      else return compute<Op, S, Layer>(x);
    } else return compute<Op, S, Layer>(x, parameters...);
  }

  template <class X> static auto map(const ops::Activation& function, X&& x) {
    using Expression = std::remove_cvref_t<X>;
    if constexpr (is_pending<Expression> && std::is_rvalue_reference_v<X&&>) {
      if constexpr (!Expression::has_activation)
        return std::move(x).template then<ops::Activation{}>([&](Held& held) { held.activation = function; });
      else return map(function, materialise(x));
    } else {
      using Result = Tensor<float, typename Expression::shape_type>;
      const auto t = materialise(x);
      if (DeviceMemory* const device = t.storage().memory()) {
        const Evaluation::Operand operand = operand_of(t);
        return Result(device->evaluate({.operation = operation_of(function),
                                        .operands = &operand,
                                        .operand_count = 1,
                                        .dims = t.dims()}),
                      t.dims());
      }
      Result y(Storage::uninitialized(std::size_t(t.size()) * sizeof(float)), t.dims());
      const host::Input in = input_of(t.storage(), t.dims(), Dtype::float32);
      host::Call call;
      call.in = &in;
      call.inputs = 1;
      call.out = output_of(y.data(), t.dims());
      run(function, call);
      return y;
    }
  }

  template <auto Op, class S, class... X> static auto combine(X&&... x) {
    if constexpr (holds<ops::Binary, Op>) return arithmetic<Op, S>(std::forward<X>(x)...);
    else return compute_all<Op, S>(x...);
  }

 private:
  /// A pending expression that is still open takes in a sum with a tensor of the same static extents.
  template <class X, class Other> static constexpr bool takes_sum() {
    using Expression = std::remove_cvref_t<X>;
    if constexpr (is_pending<Expression> && std::is_rvalue_reference_v<X&&> && !stored<std::remove_cvref_t<Other>>)
      return !Expression::has_sum && !Expression::has_activation && is_static(Expression::shape_type::dims) &&
             std::is_same_v<typename Expression::shape_type, typename std::remove_cvref_t<Other>::shape_type>;
    else return false;
  }
  template <auto Op, class S, class A, class B> static auto arithmetic(A&& a, B&& b) {
    const auto add = [](auto&& open, const auto& other) {
      const auto t = materialise(other);
      return std::move(open).template then<Op>([&](Held& held) {
        require_together(label_of<void>, held.x, held.x_dims, "what is added", t.storage());
        held.residual = t.storage();
      });
    };
    if constexpr (Op.kind == ops::Binary::Kind::add && takes_sum<A&&, B>()) return add(std::move(a), b);
    else if constexpr (Op.kind == ops::Binary::Kind::add && takes_sum<B&&, A>()) return add(std::move(b), a);
    else return compute_all<Op, S>(a, b);
  }

  /// Runs the kernel of an operation on one operand.
  template <auto Op, class S, class Layer, class X, class... P>
  static Tensor<float, S> compute(const X& x, const P&... parameters) {
    const auto t = materialise(x);
    const Storage shares[4] = {share_with<Layer>(t.storage(), t.dims(), parameters)...};
    const Evaluation::Operand operands[] = {operand_of(t)};
    return finish<Op, S>(operands, shares, checked<Op>(label_of<Layer>, t.dims()));
  }
  /// Runs the kernel of an operation on several operands.
  template <auto Op, class S, class... X> static Tensor<float, S> compute_all(const X&... x) {
    return [](const auto& first, const auto&... others) {
      (require_together(label_of<void>, first.storage(), first.dims(), "another operand", others.storage()), ...);
      const Evaluation::Operand operands[] = {operand_of(first), operand_of(others)...};
      const Storage none[4] = {};
      return finish<Op, S>(operands, none, checked<Op>(label_of<void>, first.dims(), others.dims()...));
    }(tensor_of(x)...);
  }
  template <auto Op, class S, int Operands>
  static Tensor<float, S> finish(const Evaluation::Operand (&operands)[Operands], const Storage (&parameters)[4],
                                 const Dims& dims) {
    if (DeviceMemory* const device = operands[0].storage->memory())
      return {device->evaluate({.operation = operation_of(Op),
                                .operands = operands,
                                .operand_count = Operands,
                                .parameters = parameters,
                                .dims = dims}),
              dims};
    host::Call call;
    host::Input in[Operands];
    for (int i = 0; i < Operands; ++i) in[i] = input_of(*operands[i].storage, operands[i].dims, operands[i].dtype);
    for (int k = 0; k < 4; ++k)
      if (parameters[k]) call.parameters[k] = input_of(parameters[k], {}, Dtype::float32);
    Tensor<float, S> y(Storage::uninitialized(std::size_t(count(dims)) * sizeof(float)), dims);
    call.in = in;
    call.inputs = Operands;
    call.out = output_of(y.data(), dims);
    run_with_scratch<Op>(call);
    return y;
  }
};
}  // namespace eager

}  // namespace lamina::inline LAMINA_ISA

namespace lamina {
template <class T, class S> struct reading<Tensor<T, S>> : eager::Reading {};
template <class T, class S> struct reading<TensorView<T, S>> : eager::Reading {};
template <class S, auto P, auto... E> struct reading<Pending<S, P, E...>> : eager::Reading {};
}  // namespace lamina
