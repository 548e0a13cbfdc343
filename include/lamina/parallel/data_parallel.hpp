/// torch.nn.DataParallel.
#pragma once
#include "../core/device.hpp"
#include "../core/members.hpp"
#include "parallel_apply.hpp"
#include "replicate.hpp"
#include "scatter_gather.hpp"
#include <optional>

namespace lamina {

namespace parallel {
/// That many devices of the host: cpu:0, cpu:1, ..
inline std::vector<Device> host_devices(int count) {
  std::vector<Device> devices;
  for (int i = 0; i < count; ++i) devices.push_back({Device::Kind::cpu, i});
  return devices;
}

namespace detail {
/// A forward that is called on tensors is eager, and that is of the host.
[[gnu::noinline]] inline void require_on_host(const std::vector<Device>& devices) {
  for (const Device& device : devices)
    if (device.kind != Device::Kind::cpu)
      throw device_error(std::string(
          (Text{} << "DataParallel: on " << device << " replicas are compiled: include lamina/cuda/data_parallel.hpp")
              .view()));
}
/// The number of items, which all tensors share; -1 before the first.
inline void count_items(idx& items, const Dims& dims) {
  if (items >= 0 && dims[0] != items)
    throw shape_error(std::string(
        (Text{} << "DataParallel: the inputs have " << items << " and " << dims[0] << " items in dimension 0").view()));
  items = dims[0];
}
/// The result of a forward with everything pending computed.
template <class Y> auto computed(Y&& y) {
  using Result = std::remove_cvref_t<Y>;
  if constexpr (is_tuple<Result>)
    return std::apply([](auto&... part) { return std::tuple(computed(std::move(part))...); }, y);
  else return materialise(std::forward<Y>(y));
}
}  // namespace detail
}  // namespace parallel

/// A net whose forward divides the batch among devices. Each has a replica of the net: dimension 0 of every input
/// tensor is cut as torch.chunk does (the last piece may be smaller, and with few items some devices get none), the
/// replicas run at the same time, and their results are joined along dimension 0. Replicas are made at every forward,
/// from the one net that is here, whatever filled it: they share its parameters and drop what they note in their
/// buffers, so that the statistics of batch norms are those of the first device, whose replica is the net itself.
///
/// All names begin with `module.`, as in the files that PyTorch saves of such nets; which devices those were does not
/// matter.
///   DataParallel<models::ResNet50> net(parallel::host_devices(2));
///   load(net, "resnet50_on_four_gpus.pth");
///   save(net.module(), "resnet50.pth");     // the inner net, for one device
/// The forward itself runs on devices of the host, and throws device_error if there is another one. Engines of GPUs are
/// compiled from the net (lamina/cuda/data_parallel.hpp). PyTorch: nn.DataParallel(module, device_ids).
template <class Net> class DataParallel {
  Net net_;
  std::vector<Device> devices_;

 public:
  /// One device.
  constexpr DataParallel() = default;
  explicit DataParallel(std::vector<Device> devices) : DataParallel(Net(), std::move(devices)) {}
  explicit DataParallel(Net net, std::vector<Device> devices = {Device{}})
      : net_(std::move(net)), devices_(std::move(devices)) {}

  /// The net itself.
  constexpr Net& module() { return net_; }
  constexpr const Net& module() const { return net_; }
  const std::vector<Device>& devices() const { return devices_; }

  // LAMINA_MEMBERS under PyTorch's names.
  static constexpr std::string_view lamina_member_names = "module, device_ids";
  template <class Visitor> constexpr decltype(auto) lamina_members(Visitor&& visitor) {
    return visitor(net_, devices_);
  }
  template <class Visitor> constexpr decltype(auto) lamina_members(Visitor&& visitor) const {
    return visitor(net_, devices_);
  }

  /// The forward on all devices. Inputs that are no tensors go to each of them.
  template <class... X> constexpr auto operator()(X&&... x) const {
    if constexpr ((on_tensor<X>() || ...)) return run(input(std::forward<X>(x))...);
    else return net_(std::forward<X>(x)...);
  }

 private:
  template <class X> static constexpr bool on_tensor() {
    if constexpr (operand<X>) return is_tensor<decltype(materialise(std::declval<X>()))>;
    else return false;
  }
  template <class X> static auto input(X&& x) {
    if constexpr (operand<X>) return materialise(std::forward<X>(x));
    else return std::remove_cvref_t<X>(std::forward<X>(x));
  }

  template <class... X> auto run(const X&... x) const {
    using parallel::detail::computed;
    using Whole = decltype(computed(net_(x...)));
    using Part = decltype(computed(net_(parallel::scatter(x, {})...)));
    parallel::detail::require_on_host(devices_);
    idx items = -1;
    const auto count = [&](const auto& one) {
      if constexpr (is_tensor<std::remove_cvref_t<decltype(one)>>) {
        if (one.storage().memory())
          lamina::detail::refuse_on_host(Text{} << "DataParallel: a tensor", one.dims(), one.device());
        parallel::detail::count_items(items, one.dims());
      }
    };
    (count(x), ...);
    const auto chunks = parallel::chunks(items, devices_.empty() ? 1 : idx(devices_.size()));
    if (chunks.size() <= 1) return Whole(computed(net_(x...)));

    std::vector<Net> replicas(chunks.size() - 1);
    const auto stored = stored_tensors(net_);
    for (Net& replica : replicas) parallel::replicate(stored, stored_tensors(replica));
    std::vector<std::optional<Part>> parts(chunks.size());
    parallel::parallel_apply(int(chunks.size()), [&](int number) {
      const std::size_t i = std::size_t(number);
      const Net& replica = i == 0 ? net_ : replicas[i - 1];
      parts[i].emplace(computed(replica(parallel::scatter(x, chunks[i])...)));
    });
    return parallel::gather<Whole>(parts);
  }
};

}  // namespace lamina
