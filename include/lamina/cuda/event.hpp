/// Points in the work of a stream.
#pragma once
#include "check.hpp"
#include <utility>

namespace lamina::gpu {

/// An event of a device, without a time. Reused: what counts is the last record.
class Event {
  int device_;
  cudaEvent_t event = nullptr;

 public:
  explicit Event(int device) : device_(device) {
    const DeviceGuard guard(device);
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  }
  Event(Event&& other) noexcept : device_(other.device_), event(std::exchange(other.event, nullptr)) {}
  Event& operator=(Event&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(event, other.event);
    return *this;
  }
  ~Event() {
    if (event) static_cast<void>(cudaEventDestroy(event));
  }

  /// Notes where a stream of the event's device is now.
  void record(cudaStream_t stream) {
    const DeviceGuard guard(device_);
    check(cudaEventRecord(event, stream), "cudaEventRecord");
  }
  /// What a stream of `device` is given from now on comes after the last record.
  void hold_back(cudaStream_t stream, int device) const {
    const DeviceGuard guard(device);
    check(cudaStreamWaitEvent(stream, event, 0), "cudaStreamWaitEvent");
  }
  /// Waits on the host for the last record. Errors of the work before it are among what this returns.
  cudaError_t wait() const { return cudaEventSynchronize(event); }
};

}  // namespace lamina::gpu
