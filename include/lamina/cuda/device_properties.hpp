/// What cuDNN must know of a GPU to make plans for it: no GPU is needed for that.
#pragma once
#include "descriptor.hpp"

namespace lamina::gpu {

/// Properties of a device, as a descriptor and as the JSON text that describes it.
class DeviceProperties {
  Descriptor descriptor_{CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, "the properties of a device"};
  std::string json_{};

 public:
  /// From text as json() gives it, of this or another machine. Throws cudnn_error if that is no such text.
  explicit DeviceProperties(std::string_view json) {
    descriptor_.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, json);
    finish();
  }
  /// Of GPU number `device` here. Throws cudnn_error if there is none.
  explicit DeviceProperties(int device) {
    descriptor_.set(CUDNN_ATTR_DEVICEPROP_DEVICE_ID, std::int32_t(device));
    finish();
  }

  const Descriptor& descriptor() const { return descriptor_; }
  /// Equal for equal devices at the same place of a machine.
  const std::string& json() const { return json_; }
  /// "NVIDIA H100 80GB HBM3"
  std::string name() const {
    constexpr std::string_view key = "\"deviceName\"";
    std::size_t begin = json_.find(key);
    if (begin == std::string::npos) return "a GPU without a name";
    begin = json_.find('"', begin + key.size()) + 1;
    return json_.substr(begin, json_.find('"', begin) - begin);
  }

 private:
  void finish() {
    descriptor_.finalize();
    json_ = descriptor_.text(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION);
  }
};

}  // namespace lamina::gpu
