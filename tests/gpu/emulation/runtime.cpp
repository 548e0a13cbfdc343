/// cudart: devices, their properties, errors.
#include "state.hpp"
#include <cstring>

namespace emulation {
namespace {

/// From the data sheet; the form is that of cuDNN's device properties.
const char* const h100 =
    R"({"deviceVer":900,"driverVer":13000,"cudaDeviceId":0,"deviceName":"NVIDIA H100 80GB HBM3","multiProcessorCount":132,)"
    R"("maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],"regsPerBlock":65536,"warpSize":32,)"
    R"("maxSharedMemoryPerBlock":49152,"maxSharedMemoryPerBlockOptin":232448,"reservedSharedMemoryPerBlock":1024,)"
    R"("maxRegistersPerSM":65536,"maxCtasPerSM":32,"maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,"pciDeviceId":0,)"
    R"("isTccDriver":0,"supportCoopLaunch":1,"totalGlobalMem":85045870592,"smClockRateKHz":1980000,)"
    R"("memClockRateKHz":2619000,"l2CacheSize":52428800})";

struct ErrorText {
  cudaError_t code;
  const char *name, *text;
};
constexpr ErrorText error_texts[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidMemcpyDirection, "cudaErrorInvalidMemcpyDirection", "invalid copy direction for memcpy"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorStubLibrary, "cudaErrorStubLibrary", "CUDA driver is a stub library"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidKernelImage, "cudaErrorInvalidKernelImage", "device kernel image is invalid"},
    {cudaErrorNoKernelImageForDevice, "cudaErrorNoKernelImageForDevice",
     "no kernel image is available for execution on the device"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorSymbolNotFound, "cudaErrorSymbolNotFound", "named symbol not found"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorIllegalAddress, "cudaErrorIllegalAddress", "an illegal memory access was encountered"},
    {cudaErrorPeerAccessAlreadyEnabled, "cudaErrorPeerAccessAlreadyEnabled", "peer access is already enabled"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorECCUncorrectable, "cudaErrorECCUncorrectable", "uncorrectable ECC error encountered"},
    {cudaErrorNotSupported, "cudaErrorNotSupported", "operation not supported"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched", "capture was not initiated in this stream"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined",
     "capture sequence contains a fork that was not joined to the primary stream"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
     "dependency created on uncaptured work in another stream"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent",
     "operation not permitted on an event last recorded in a capturing stream"},
    {cudaErrorStreamCaptureWrongThread, "cudaErrorStreamCaptureWrongThread",
     "attempt to terminate a thread-local capture sequence from another thread"},
    {cudaErrorUnknown, "cudaErrorUnknown", "unknown error"},
};

const std::string& json_of(int device) {
  auto& json = state().devices[std::size_t(device)].json;
  if (json.empty()) json = h100;
  return json;
}

/// The number at this place of the array `key`.
long long number_in_array(const std::string& json, const std::string& key, int place) {
  std::size_t at = json.find("\"" + key + "\"");
  if (at == std::string::npos) return 0;
  at = json.find('[', at);
  for (; place > 0 && at != std::string::npos; --place) at = json.find(',', at + 1);
  return at == std::string::npos ? 0 : std::strtoll(json.c_str() + at + 1, nullptr, 10);
}

}  // namespace

int& current_device() {
  static thread_local int device = 0;
  return device;
}

bool is_device(int device) { return device >= 0 && device < state().device_count; }

long long number_in(const std::string& json, const std::string& key) {
  const std::size_t at = json.find("\"" + key + "\":");
  return at == std::string::npos ? 0 : std::strtoll(json.c_str() + at + key.size() + 3, nullptr, 10);
}

std::string text_in(const std::string& json, const std::string& key) {
  const std::string mark = "\"" + key + "\":\"";
  const std::size_t at = json.find(mark);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + mark.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

std::string device_json(int device) { return json_of(device); }

void break_device(int device, const std::string& why) {
  fault("device " + std::to_string(device) + " is broken: " + why);
  state().devices[std::size_t(device)].broken = cudaErrorIllegalAddress;
}

}  // namespace emulation

using namespace emulation;

extern "C" {

const char* cudaGetErrorName(cudaError_t error) {
  for (const auto& row : error_texts)
    if (row.code == error) return row.name;
  return "unrecognized error code";
}
const char* cudaGetErrorString(cudaError_t error) {
  for (const auto& row : error_texts)
    if (row.code == error) return row.text;
  return "unrecognized error code";
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

/// Without a device the argument is not written, as with the real one.
cudaError_t cudaGetDeviceCount(int* count) {
  return runtime_call("cudaGetDeviceCount", [&] {
    *count = state().device_count;
    return cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int device) {
  Call call("cudaSetDevice");
  if (call.injected != 0) return remember(cudaError_t(call.injected));
  if (state().device_count == 0) return remember(cudaErrorNoDevice);
  if (!is_device(device)) return remember(cudaErrorInvalidDevice);
  current_device() = device;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  Call call("cudaGetDevice");
  if (call.injected != 0) return remember(cudaError_t(call.injected));
  if (state().device_count == 0) return remember(cudaErrorNoDevice);
  *device = current_device();
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return runtime_call("cudaGetDeviceProperties", [&] {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    const std::string& json = json_of(device);
    *properties = cudaDeviceProp{};
    std::strncpy(properties->name, text_in(json, "deviceName").c_str(), sizeof properties->name - 1);
    properties->uuid.bytes[15] = char(device + 1);
    properties->major = int(number_in(json, "deviceVer") / 100);
    properties->minor = int(number_in(json, "deviceVer") / 10 % 10);
    properties->multiProcessorCount = int(number_in(json, "multiProcessorCount"));
    properties->totalGlobalMem = std::size_t(number_in(json, "totalGlobalMem"));
    properties->sharedMemPerBlock = std::size_t(number_in(json, "maxSharedMemoryPerBlock"));
    properties->sharedMemPerBlockOptin = std::size_t(number_in(json, "maxSharedMemoryPerBlockOptin"));
    properties->reservedSharedMemPerBlock = std::size_t(number_in(json, "reservedSharedMemoryPerBlock"));
    properties->sharedMemPerMultiprocessor = properties->sharedMemPerBlockOptin + properties->reservedSharedMemPerBlock;
    properties->regsPerBlock = int(number_in(json, "regsPerBlock"));
    properties->regsPerMultiprocessor = int(number_in(json, "maxRegistersPerSM"));
    properties->warpSize = int(number_in(json, "warpSize"));
    properties->maxThreadsPerBlock = int(number_in(json, "maxThreadsPerBlock"));
    properties->maxThreadsPerMultiProcessor = int(number_in(json, "maxThreadsPerSM"));
    properties->maxBlocksPerMultiProcessor = int(number_in(json, "maxCtasPerSM"));
    properties->l2CacheSize = int(number_in(json, "l2CacheSize"));
    for (int place = 0; place < 3; ++place) {
      properties->maxThreadsDim[place] = int(number_in_array(json, "maxBlockSize", place));
      properties->maxGridSize[place] = int(number_in_array(json, "maxGridSize", place));
    }
    properties->pciBusID = device + 1;
    properties->pciDeviceID = int(number_in(json, "pciDeviceId"));
    properties->tccDriver = int(number_in(json, "isTccDriver"));
    properties->cooperativeLaunch = int(number_in(json, "supportCoopLaunch"));
    properties->concurrentKernels = properties->unifiedAddressing = properties->memoryPoolsSupported = 1;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  return runtime_call("cudaDeviceGetAttribute", [&] {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    const std::string& json = json_of(device);
    const auto given = [&](long long number) {
      *value = int(number);
      return cudaSuccess;
    };
    switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor: return given(number_in(json, "deviceVer") / 100);
    case cudaDevAttrComputeCapabilityMinor: return given(number_in(json, "deviceVer") / 10 % 10);
    case cudaDevAttrMultiProcessorCount: return given(number_in(json, "multiProcessorCount"));
    case cudaDevAttrMaxThreadsPerBlock: return given(number_in(json, "maxThreadsPerBlock"));
    case cudaDevAttrMaxThreadsPerMultiProcessor: return given(number_in(json, "maxThreadsPerSM"));
    case cudaDevAttrMaxBlocksPerMultiprocessor: return given(number_in(json, "maxCtasPerSM"));
    case cudaDevAttrMaxRegistersPerBlock: return given(number_in(json, "regsPerBlock"));
    case cudaDevAttrMaxRegistersPerMultiprocessor: return given(number_in(json, "maxRegistersPerSM"));
    case cudaDevAttrMaxSharedMemoryPerBlock: return given(number_in(json, "maxSharedMemoryPerBlock"));
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: return given(number_in(json, "maxSharedMemoryPerBlockOptin"));
    case cudaDevAttrReservedSharedMemoryPerBlock: return given(number_in(json, "reservedSharedMemoryPerBlock"));
    case cudaDevAttrWarpSize: return given(number_in(json, "warpSize"));
    case cudaDevAttrClockRate: return given(number_in(json, "smClockRateKHz"));
    case cudaDevAttrMemoryClockRate: return given(number_in(json, "memClockRateKHz"));
    case cudaDevAttrL2CacheSize: return given(number_in(json, "l2CacheSize"));
    case cudaDevAttrPciDeviceId: return given(number_in(json, "pciDeviceId"));
    case cudaDevAttrTccDriver: return given(number_in(json, "isTccDriver"));
    case cudaDevAttrCooperativeLaunch: return given(number_in(json, "supportCoopLaunch"));
    case cudaDevAttrMaxBlockDimX: return given(number_in_array(json, "maxBlockSize", 0));
    case cudaDevAttrMaxBlockDimY: return given(number_in_array(json, "maxBlockSize", 1));
    case cudaDevAttrMaxBlockDimZ: return given(number_in_array(json, "maxBlockSize", 2));
    case cudaDevAttrMaxGridDimX: return given(number_in_array(json, "maxGridSize", 0));
    case cudaDevAttrMaxGridDimY: return given(number_in_array(json, "maxGridSize", 1));
    case cudaDevAttrMaxGridDimZ: return given(number_in_array(json, "maxGridSize", 2));
    case cudaDevAttrMemoryPoolsSupported:
    case cudaDevAttrUnifiedAddressing: return given(1);
    default: return misuse(cudaErrorInvalidValue, "attribute " + std::to_string(attribute) + " is not emulated");
    }
  });
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  return runtime_call("cudaDeviceCanAccessPeer", [&] {
    if (!is_device(device) || !is_device(peer)) return cudaErrorInvalidDevice;
    *can = device != peer;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned flags) {
  return runtime_call("cudaDeviceEnablePeerAccess", [&] {
    if (!is_device(peer) || peer == current_device()) return cudaErrorInvalidDevice;
    if (flags != 0) return misuse(cudaErrorInvalidValue, "flags must be 0");
    const bool first = state().devices[std::size_t(current_device())].peers.insert(peer).second;
    return first ? cudaSuccess : cudaErrorPeerAccessAlreadyEnabled;
  });
}

}  // extern "C"
