/// The compiled model on a GPU.
#pragma once
#include "../engine/call.hpp"
#include "../engine/lender.hpp"
#include "../engine/sizes.hpp"
#include "../plan/plan_table.hpp"
#include "device_call.hpp"
#include "device_weights.hpp"

namespace lamina::gpu {

/// A compiled model on one GPU: `compile<Shape<1, 3, 224, 224>>(net, cuda{0})`. It owns packed weights on the device;
/// the net stays as it is and may go. A plan is made for every size of its inputs: at once where they are static, else
/// at the first call. After the second call of a size a call is one launch of recorded work.
///
/// Inputs are on the host or on the engine's device. If all are on the device, so are the results, and a call returns
/// before they are computed; else results are on the host. Several threads may call it at the same time.
///
/// Errors: no_device, out_of_memory and cuda_error of the runtime, cudnn_error, nvrtc_error, and device_error for an
/// input on another device. Where cuDNN has no engine for a step, a kernel of lamina's own computes it.
template <class Net, CompileOptions Options, class... Spec> class Engine {
  static_assert(Options.accuracy == Accuracy::fast,
                "lamina: accuracy is an option of the CPU; on GPUs choose a precision, float32 being the most exact");
  static constexpr bool is_fixed = (is_static(input_spec<Spec>::shape_type::dims) && ...);

 public:
  /// A tensor, or a tuple of tensors where the forward returns several.
  using result_type = calls::results_of<Net, Spec...>;

 private:
  struct Size {
    DevicePlan plan;
    mutable calls::Lender<DeviceCall> calls{};

    explicit Size(DevicePlan p) : plan(std::move(p)) {}
  };
  struct Shared {
    Net net;  ///< recorded for every size; without values where there is one size only
    DeviceWeights weights;
    calls::Sizes<Size, sizeof...(Spec)> sizes{};

    Shared(const Net& source, DeviceWeights given) : net(source), weights(std::move(given)) {}
    /// Nothing is freed that is still worked with.
    ~Shared() { finish_work(weights.device()); }
  };
  lamina::detail::Owned<Shared> shared;

 public:
  Engine(const Net& net, cuda device) : Engine(net, DeviceWeights(device.index, Options)) {}
  /// With weights of the net that are packed already, for a plan with these options.
  Engine(const Net& net, DeviceWeights packed) : shared(new Shared(net, std::move(packed))) {
    require_device(shared->weights.device());
    if constexpr (is_fixed) {
      static_cast<void>(prepare({input_spec<Spec>::shape_type::dims...}));
      for (const StoredTensor<Storage*>& tensor : stored_tensors(shared->net)) *tensor.storage = Storage();
    }
  }

  template <class... X>
    requires(sizeof...(X) == sizeof...(Spec))
  result_type operator()(const X&... x) const {
    (calls::require_argument<Spec, X>(), ...);
    (calls::require_extents(input_spec<Spec>::shape_type::dims, x.dims()), ...);
    const Size& size = prepare({x.dims()...});
    const typename calls::Lender<DeviceCall>::Loan call(size.calls);
    const std::vector<CallerBytes> inputs{bytes_of(x)...};
    bool on_device = true;
    for (const CallerBytes& input : inputs) on_device = on_device && input.memory;
    result_type result = make_results(size.plan, on_device);
    std::vector<CallerBytes> outputs;
    calls::for_each_result(result, [&](const auto& y) {
      outputs.push_back({y.storage().data(), y.storage().bytes(), y.storage().memory()});
    });
    call_plan(size.plan, *call, inputs, outputs);
    return result;
  }

  cuda device() const { return {shared->weights.device()}; }

  /// The weights on the device that inputs of these extents need.
  static DeviceWeights pack(const Net& net, cuda device, const Dims (&dims)[sizeof...(Spec)]) {
    DeviceWeights weights(device.index, Options);
    static_cast<void>(weights.of(plan_of(net, dims), stored_tensors(net)));
    return weights;
  }

  /// Makes the next call of these extents as fast as all that follow: plans, kernels and recorded work are ready then.
  void warm_up(const Dims (&dims)[sizeof...(Spec)]) const {
    const Size& size = prepare(dims);
    const typename calls::Lender<DeviceCall>::Loan call(size.calls);
    call->warm_up(size.plan);
  }
  void warm_up() const requires is_fixed { warm_up({input_spec<Spec>::shape_type::dims...}); }

  /// What is done for inputs of these extents.
  const DevicePlan& plan(const Dims (&dims)[sizeof...(Spec)]) const { return prepare(dims).plan; }
  const DevicePlan& plan() const requires is_fixed { return plan({input_spec<Spec>::shape_type::dims...}); }

  /// Packs the weights again of those layers of `net` whose parameters were written since. No call may run meanwhile.
  void refresh(const Net& net) {
    const DeviceGuard guard(shared->weights.device());
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    shared->weights.refresh(stored_tensors(net));
    if constexpr (!is_fixed) shared->net = net;
  }

 private:
  const Size& prepare(const Dims (&dims)[sizeof...(Spec)]) const {
    return shared->sizes.get(dims, [&] {
      planning::Plan plan = plan_of(shared->net, dims);
      std::vector<std::byte*> weights = shared->weights.of(plan, stored_tensors(std::as_const(shared->net)));
      std::vector<std::size_t> inputs;
      int i = 0;
      (inputs.push_back(std::size_t(count(dims[i++])) * sizeof(typename input_spec<Spec>::value_type)), ...);
      return Size(DevicePlan(device().index, std::move(plan), Options, std::move(weights), inputs));
    });
  }

  /// Static extents: the plan is made by the compiler, which leaves no code that makes it.
  static planning::Plan plan_of([[maybe_unused]] const Net& net, [[maybe_unused]] const Dims (&dims)[sizeof...(Spec)]) {
    if constexpr (is_fixed) return planning::copy_of(planning::PlanFor<Backend, Net, Options, Spec...>::table);
    else return planning::plan_of<Backend, Options, Spec...>(net, dims);
  }
  template <class X> CallerBytes bytes_of(const X& x) const {
    const std::size_t bytes = std::size_t(x.size()) * sizeof(typename X::value_type);
    if constexpr (is_tensor<X>)
      if (x.storage().memory()) {
        if (x.device() != device()) refuse(x.dims(), x.device(), device());
        return {x.storage().data(), bytes, x.storage().memory()};
      }
    return {reinterpret_cast<std::byte*>(const_cast<typename X::value_type*>(x.data())), bytes, nullptr};
  }
  [[noreturn, gnu::cold, gnu::noinline]] static void refuse(const Dims& dims, const Device& is, const Device& wanted) {
    throw device_error(std::string((Text{} << "an input " << dims << " is on " << is << ", the model on " << wanted
                                           << ": move the input with to(x, " << wanted << ")")
                                       .view()));
  }
  static result_type make_results(const DevicePlan& plan, bool on_device) {
    const auto make = [&]<class T, class S>(std::type_identity<Tensor<T, S>>, std::size_t k) {
      const planning::Place& place = plan.plan().outputs[k];
      const std::size_t bytes = DevicePlan::bytes_of(place);
      return Tensor<T, S>(on_device ? Context::of(plan.device()).allocate(bytes) : Storage::uninitialized(bytes),
                          place.dims);
    };
    if constexpr (calls::is_tuple<result_type>) {
      return [&]<std::size_t... K>(std::index_sequence<K...>) {
        return result_type(make(std::type_identity<std::tuple_element_t<K, result_type>>(), K)...);
      }(std::make_index_sequence<std::tuple_size_v<result_type>>{});
    } else return make(std::type_identity<result_type>(), 0);
  }
};

}  // namespace lamina::gpu
