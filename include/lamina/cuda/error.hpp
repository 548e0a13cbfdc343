/// What can go wrong on a GPU, as exceptions. Each names the call, the device, and what the library said.
#pragma once
#include "../core/error.hpp"
#include <cstddef>

namespace lamina::gpu {

/// Base of everything below.
struct gpu_error : error {
  using error::error;
};

/// There is no GPU, no driver for it, or none of this number.
struct no_device : gpu_error {
  using gpu_error::gpu_error;
};

/// A call of the CUDA runtime failed. Kernels run later than they are started: what they did wrong is found at the next
/// synchronisation, and the context of that thread and device is of no use any more.
struct cuda_error : gpu_error {
  int code;    ///< a cudaError_t
  int device;  ///< the current device
  cuda_error(const std::string& text, int code_, int device_) : gpu_error(text), code(code_), device(device_) {}
};

/// A device has no memory left for a request.
struct out_of_memory : cuda_error {
  std::size_t bytes;  ///< of the request
  out_of_memory(const std::string& text, int code_, int device_, std::size_t bytes_)
      : cuda_error(text, code_, device_), bytes(bytes_) {}
};

/// cuDNN has no engine for a graph on a device: the graph, the device, and why each engine was refused.
struct unsupported_graph : gpu_error {
  using gpu_error::gpu_error;
};

/// A call of cuDNN failed: the step, the status and cuDNN's own text.
struct cudnn_error : gpu_error {
  int status;  ///< a cudnnStatus_t
  cudnn_error(const std::string& text, int status_) : gpu_error(text), status(status_) {}
};

/// NVRTC refused a kernel: its source and the compiler's log.
struct nvrtc_error : gpu_error {
  std::string source, log;
  nvrtc_error(const std::string& text, std::string source_, std::string log_)
      : gpu_error(text), source(std::move(source_)), log(std::move(log_)) {}
};

/// A call of NCCL failed.
struct nccl_error : gpu_error {
  using gpu_error::gpu_error;
};

}  // namespace lamina::gpu
