/// cudart: copies between memories. The device reads pageable memory when the call is made, pinned memory when the
/// stream comes to it; what the host gets is there when it has waited.
#include "state.hpp"
#include <cstring>

namespace emulation {
namespace {

bool is_pinned(const void* address, std::size_t bytes) {
  auto it = state().pinned.upper_bound(static_cast<char*>(const_cast<void*>(address)));
  if (it == state().pinned.begin()) return false;
  --it;
  return static_cast<const char*>(address) + bytes <= it->first + it->second;
}

cudaError_t copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  if (!to || !from) return misuse(cudaErrorInvalidValue, "a null pointer");
  const bool to_device = device_of(to) >= 0, from_device = device_of(from) >= 0;
  const bool fits = kind == cudaMemcpyDefault || (kind == cudaMemcpyHostToDevice && to_device && !from_device) ||
                    (kind == cudaMemcpyDeviceToHost && !to_device && from_device) ||
                    (kind == cudaMemcpyDeviceToDevice && to_device && from_device) ||
                    (kind == cudaMemcpyHostToHost && !to_device && !from_device);
  if (!fits) return misuse(cudaErrorInvalidMemcpyDirection, "the pointers are not of the memories that the kind says");
  std::vector<Access> accesses;
  if (to_device) accesses.push_back({to, bytes, true});
  if (from_device) accesses.push_back({from, bytes, false});
  const auto on = stream_of(stream);
  if (!on) return cudaErrorInvalidResourceHandle;
  if (!from_device && !on->capture && !is_pinned(from, bytes)) {
    auto staged = std::make_shared<std::string>(static_cast<const char*>(from), bytes);
    return enqueue(stream, {"copy", std::move(accesses), [=] { std::memcpy(alias_of(to), staged->data(), bytes); }});
  }
  const cudaError_t error =
      enqueue(stream, {"copy", std::move(accesses), [=] { std::memmove(alias_of(to), alias_of(from), bytes); }});
  if (error == cudaSuccess && !to_device && !on->capture) std::memset(to, poison, bytes);
  return error;
}

}  // namespace
}  // namespace emulation

using namespace emulation;

extern "C" {

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return runtime_call("cudaMemcpyAsync", [&] { return copy(to, from, bytes, kind, stream); });
}

cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, std::size_t bytes,
                                cudaStream_t stream) {
  return runtime_call("cudaMemcpyPeerAsync", [&] {
    if (bytes != 0 && (device_of(to) != to_device || device_of(from) != from_device))
      return misuse(cudaErrorInvalidValue, "a pointer is not of the device that is named");
    return copy(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
  });
}

cudaError_t cudaMemsetAsync(void* at, int value, std::size_t bytes, cudaStream_t stream) {
  return runtime_call("cudaMemsetAsync", [&] {
    if (bytes == 0) return cudaSuccess;
    const auto on = stream_of(stream);
    if (!on) return cudaErrorInvalidResourceHandle;
    if (on->device != current_device())
      return misuse(cudaErrorInvalidResourceHandle, "a stream of a device that is not the current one");
    return enqueue(stream, {"memset", {{at, bytes, true}}, [=] { std::memset(alias_of(at), value, bytes); }});
  });
}

}  // extern "C"
