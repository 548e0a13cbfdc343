/// Packed weights of eager evaluation: made once, kept beside the weight they were made from, and made again when one
/// of the parameters was written since.
#pragma once
#include "../core/list.hpp"
#include "kernel_call.hpp"
#include <array>
#include <mutex>

namespace lamina::inline LAMINA_ISA::eager {

/// What a packed form was made for: the operation's channels and window, the method, and the versions of the weight,
/// the bias and a batch norm's parameters.
struct PackedKey {
  std::array<idx, 6> operation{};
  host::Method method{};
  std::array<std::uint64_t, 6> versions{};
  double eps = 0;
  friend bool operator==(const PackedKey&, const PackedKey&) = default;
};

/// The packed forms of one weight, one a key's operation and method.
struct PackedForms : Attachment {
  struct Form {
    PackedKey key;
    Storage weight, bias;
  };
  detail::List<Form> forms;

  /// The form of this key; makes it with make(form) where there is none, in place of an older one.
  template <class Make> Form& find(const PackedKey& key, Make make) {
    Form* stale = nullptr;
    for (Form& form : forms) {
      if (form.key == key) return form;
      if (form.key.operation == key.operation && form.key.method == key.method) stale = &form;
    }
    Form fresh{key, {}, {}};
    make(fresh);
    if (stale) *stale = std::move(fresh);
    else forms.push_back(std::move(fresh));
    return stale ? *stale : forms.back();
  }
};

inline std::array<idx, 6> packing_of(const ops::Conv2d& op) {
  return {0, op.in_channels, op.out_channels, op.groups, op.window.height.kernel, op.window.width.kernel};
}
/// A transposed convolution is packed by phases, which depend on its whole window.
inline std::array<idx, 6> packing_of(const ops::ConvTranspose2d& op) {
  const auto hash = [](const ops::Window& w) {
    return ((idx(w.kernel) * 1024 + w.stride) * 1024 + w.before) * 1024 + w.dilation;
  };
  return {1, op.in_channels, op.out_channels, op.groups, hash(op.window.height), hash(op.window.width)};
}
inline std::array<idx, 6> packing_of(const ops::Linear& op) { return {2, op.in_features, op.out_features, 0, 0, 0}; }

/// The weight and bias of an operation, packed for a method. `parameters` are the operation's, `norm` a batch norm's
/// gamma, beta, mean and variance, or nothing.
template <class Op>
PackedForms::Form packed(const Op& op, host::Method method, const Storage* parameters, const Storage* norm,
                         double eps) {
  const Storage* const all[] = {parameters, parameters + 1, norm, norm + 1, norm + 2, norm + 3};
  PackedKey key{packing_of(op), method, {}, eps};
  const float* values[6]{};
  for (std::size_t i = 0; i < 6; ++i)
    if (*all[i]) {
      key.versions[i] = all[i]->version() + 1;
      values[i] = reinterpret_cast<const float*>(all[i]->data());
    }
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  detail::Owned<Attachment>& attached = parameters[0].attachment();
  if (!attached) attached = detail::Owned<Attachment>(new PackedForms);
  return static_cast<PackedForms&>(*attached).find(key, [&](PackedForms::Form& form) {
    form.weight = Storage::uninitialized(std::size_t(host::weight_floats(op, method)) * sizeof(float));
    form.bias = Storage::uninitialized(std::size_t(host::bias_floats(host::out_channels(op))) * sizeof(float));
    host::pack(op, method, {values[0], values[1], values[2], values[3], values[4], values[5], eps},
               reinterpret_cast<float*>(form.weight.data()), reinterpret_cast<float*>(form.bias.data()));
  });
}

}  // namespace lamina::inline LAMINA_ISA::eager
