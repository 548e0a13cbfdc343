/// cuDNN's descriptors: the tensors, operations, engines and plans of its graph API are lists of attributes.
#pragma once
#include "error.hpp"
#include <cudnn.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lamina::gpu {

namespace detail {
[[noreturn, gnu::cold, gnu::noinline]] inline void fail(cudnnStatus_t status, const std::string& step) {
  char last[1024]{};
  cudnnGetLastErrorString(last, sizeof last);
  std::string text = "cuDNN: " + step + ": " + cudnnGetErrorString(status);
  if (last[0] != '\0') text += std::string(": ") + last;
  throw cudnn_error(text, int(status));
}

/// What cuDNN calls the type of an attribute.
template <class T> inline constexpr int attribute_type = -1;
template <> inline constexpr int attribute_type<bool> = CUDNN_TYPE_BOOLEAN;
template <> inline constexpr int attribute_type<char> = CUDNN_TYPE_CHAR;
template <> inline constexpr int attribute_type<std::int32_t> = CUDNN_TYPE_INT32;
template <> inline constexpr int attribute_type<std::int64_t> = CUDNN_TYPE_INT64;
template <> inline constexpr int attribute_type<float> = CUDNN_TYPE_FLOAT;
template <> inline constexpr int attribute_type<double> = CUDNN_TYPE_DOUBLE;
template <> inline constexpr int attribute_type<void*> = CUDNN_TYPE_VOID_PTR;
template <> inline constexpr int attribute_type<cudnnDataType_t> = CUDNN_TYPE_DATA_TYPE;
template <> inline constexpr int attribute_type<cudnnConvolutionMode_t> = CUDNN_TYPE_CONVOLUTION_MODE;
template <> inline constexpr int attribute_type<cudnnPointwiseMode_t> = CUDNN_TYPE_POINTWISE_MODE;
template <> inline constexpr int attribute_type<cudnnResampleMode_t> = CUDNN_TYPE_RESAMPLE_MODE;
template <> inline constexpr int attribute_type<cudnnPaddingMode_t> = CUDNN_TYPE_PADDING_MODE;
template <> inline constexpr int attribute_type<cudnnFraction_t> = CUDNN_TYPE_FRACTION;
template <> inline constexpr int attribute_type<cudnnBackendHeurMode_t> = CUDNN_TYPE_HEUR_MODE;
template <> inline constexpr int attribute_type<cudnnBackendNumericalNote_t> = CUDNN_TYPE_NUMERICAL_NOTE;
}  // namespace detail

/// Throws cudnn_error if a call of cuDNN failed: the step, the status and the text that cuDNN has for it.
inline void check(cudnnStatus_t status, const char* step) {
  if (status != CUDNN_STATUS_SUCCESS) detail::fail(status, step);
}

/// One descriptor. Attributes are set, then it is finalized; only then others may refer to it, and results be read.
/// What it refers to must live as long as it is used. All calls throw cudnn_error, which names the descriptor.
class Descriptor {
  cudnnBackendDescriptor_t descriptor_ = nullptr;
  const char* name_;  ///< for errors

 public:
  Descriptor(cudnnBackendDescriptorType_t type, const char* name) : name_(name) {
    require(cudnnBackendCreateDescriptor(type, &descriptor_), "create");
  }
  Descriptor(Descriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, nullptr)), name_(other.name_) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(name_, other.name_);
    return *this;
  }
  ~Descriptor() {
    if (descriptor_) static_cast<void>(cudnnBackendDestroyDescriptor(descriptor_));
  }

  cudnnBackendDescriptor_t get() const { return descriptor_; }

  template <class T> void set(cudnnBackendAttributeName_t attribute, const T& value) { set(attribute, &value, 1); }
  template <class T> void set(cudnnBackendAttributeName_t attribute, const T* values, std::int64_t count) {
    static_assert(detail::attribute_type<T> >= 0, "lamina: cuDNN has no attributes of this type");
    set(attribute, cudnnBackendAttributeType_t(detail::attribute_type<T>), values, count);
  }
  void set(cudnnBackendAttributeName_t attribute, std::string_view text) {
    set(attribute, text.data(), std::int64_t(text.size()));
  }
  void set(cudnnBackendAttributeName_t attribute, cudnnHandle_t handle) {
    set(attribute, CUDNN_TYPE_HANDLE, &handle, 1);
  }
  void set(cudnnBackendAttributeName_t attribute, const Descriptor& other) {
    set(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, &other.descriptor_, 1);
  }
  void set(cudnnBackendAttributeName_t attribute, const std::vector<Descriptor>& others) {
    std::vector<cudnnBackendDescriptor_t> all;
    for (const Descriptor& other : others) all.push_back(other.descriptor_);
    set(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, all.data(), std::int64_t(all.size()));
  }
  void finalize() { require(cudnnBackendFinalize(descriptor_), "finalize"); }

  /// The values of an attribute of at most `most` elements.
  template <class T> std::vector<T> values(cudnnBackendAttributeName_t attribute, std::int64_t most) const {
    std::vector<T> all(static_cast<std::size_t>(most));
    const auto type = cudnnBackendAttributeType_t(detail::attribute_type<T>);
    std::int64_t count = 0;
    require(cudnnBackendGetAttribute(descriptor_, attribute, type, most, &count, all.data()), "read", attribute);
    all.resize(std::size_t(count < most ? count : most));
    return all;
  }
  std::string text(cudnnBackendAttributeName_t attribute) const {
    std::string all(std::size_t(size(attribute, CUDNN_TYPE_CHAR)), '\0');
    std::int64_t count = 0;
    require(
        cudnnBackendGetAttribute(descriptor_, attribute, CUDNN_TYPE_CHAR, std::int64_t(all.size()), &count, all.data()),
        "read", attribute);
    all.resize(std::size_t(count));
    while (!all.empty() && all.back() == '\0') all.pop_back();
    return all;
  }
  /// Fills another descriptor, which is of the right type and new.
  void read(cudnnBackendAttributeName_t attribute, Descriptor& into) const {
    std::int64_t count = 0;
    require(
        cudnnBackendGetAttribute(descriptor_, attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count, &into.descriptor_),
        "read", attribute);
  }
  /// All descriptors of an attribute, which are of that type.
  std::vector<Descriptor> descriptors(cudnnBackendAttributeName_t attribute, cudnnBackendDescriptorType_t type,
                                      const char* name) const {
    std::vector<Descriptor> all;
    std::vector<cudnnBackendDescriptor_t> pointers;
    for (std::int64_t n = size(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR); n > 0; --n)
      pointers.push_back(all.emplace_back(type, name).descriptor_);
    std::int64_t count = 0;
    require(cudnnBackendGetAttribute(descriptor_, attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                     std::int64_t(pointers.size()), &count, pointers.data()),
            "read", attribute);
    while (std::int64_t(all.size()) > count) all.pop_back();
    return all;
  }

 private:
  void set(cudnnBackendAttributeName_t attribute, cudnnBackendAttributeType_t type, const void* values,
           std::int64_t count) {
    require(cudnnBackendSetAttribute(descriptor_, attribute, type, count, values), "set", attribute);
  }
  std::int64_t size(cudnnBackendAttributeName_t attribute, cudnnBackendAttributeType_t type) const {
    std::int64_t count = 0;
    require(cudnnBackendGetAttribute(descriptor_, attribute, type, 0, &count, nullptr), "read", attribute);
    return count;
  }
  void require(cudnnStatus_t status, const char* step, int attribute = -1) const {
    if (status == CUDNN_STATUS_SUCCESS) return;
    const std::string what = attribute < 0 ? "" : "attribute " + std::to_string(attribute) + " of ";
    detail::fail(status, step + (" " + what) + name_);
  }
};

}  // namespace lamina::gpu
