/// NCCL: communicators of one process, and collective operations of all its devices.
///
/// The calls of a thread between ncclGroupStart and ncclGroupEnd are matched there: every rank of a communicator has to
/// make the same calls. A rank that is missing is a fault, the hang that it would be. Threads that call for one rank
/// each are not emulated: their calls look like those of a rank alone.
#include "collectives.hpp"
#include <cstdio>
#include <utility>

namespace emulation {
namespace {

std::map<const void*, std::unique_ptr<Communicator>>& communicators() {
  static auto* all = new std::map<const void*, std::unique_ptr<Communicator>>;
  return *all;
}
thread_local int group_depth = 0;
thread_local std::vector<Request> group;
thread_local char last_message[1024] = "";  // without a destructor: communicators may be destroyed when a thread ends
template <class Body> ncclResult_t nccl_call(const char* name, Body body) {
  Call call(name);
  return call.injected != 0 ? ncclResult_t(call.injected) : body();
}

const Communicator* communicator_of(ncclComm_t handle) {
  const auto found = communicators().find(handle);
  return found == communicators().end() ? nullptr : found->second.get();
}

ncclResult_t ask(Request request, ncclComm_t handle) {
  const Communicator* rank = communicator_of(handle);
  if (!rank) return refused(ncclInvalidArgument, "not a communicator; destroyed?");
  request.rank = *rank;
  const auto stream = stream_of(request.stream);
  if (!stream) return refused(ncclInvalidArgument, "not a stream");
  if (stream->device != rank->device)
    return refused(ncclInvalidUsage, "rank " + std::to_string(rank->rank) + " is device " +
                                         std::to_string(rank->device) + ", the stream is of device " +
                                         std::to_string(stream->device));
  if (stream->capture) return refused(ncclInvalidUsage, "a collective operation in a capture is not emulated");
  if (request.kind == Request::Kind::broadcast && (request.root < 0 || request.root >= *rank->clique))
    return refused(ncclInvalidArgument, "there is no rank " + std::to_string(request.root));
  if (request.kind == Request::Kind::all_reduce && request.type != ncclFloat32 && request.type != ncclFloat16 &&
      request.type != ncclBfloat16)
    return refused(ncclInvalidArgument, "reductions of this type are not emulated");
  if (request.count == 0) return ncclSuccess;
  for (const Access& access : accesses_of(request)) {
    if (const std::string wrong = wrong_with(access); !wrong.empty()) return refused(ncclInvalidArgument, wrong);
    if (device_of(access.at) != rank->device)
      return refused(ncclInvalidArgument, "rank " + std::to_string(rank->rank) + " gives memory of another device");
  }
  if (group_depth == 0) return launch_group({request});
  group.push_back(request);
  return ncclSuccess;
}

}  // namespace

ncclResult_t refused(ncclResult_t result, const std::string& why) {
  std::snprintf(last_message, sizeof last_message, "%s", why.c_str());
  fault(why + " (" + ncclGetErrorString(result) + ")");
  return result;
}

}  // namespace emulation

using namespace emulation;

extern "C" {

const char* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
  case ncclSuccess: return "no error";
  case ncclUnhandledCudaError: return "unhandled cuda error (run with NCCL_DEBUG=INFO for details)";
  case ncclSystemError: return "unhandled system error (run with NCCL_DEBUG=INFO for details)";
  case ncclInternalError: return "internal error - please report this issue to the NCCL developers";
  case ncclInvalidArgument: return "invalid argument (run with NCCL_DEBUG=WARN for details)";
  case ncclInvalidUsage: return "invalid usage (run with NCCL_DEBUG=WARN for details)";
  case ncclRemoteError: return "remote process exited or there was a network error";
  case ncclInProgress: return "NCCL operation in progress";
  default: return "unknown result code";
  }
}
const char* ncclGetLastError(ncclComm_t) { return last_message; }

ncclResult_t ncclGetVersion(int* version) {
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}

ncclResult_t ncclCommInitAll(ncclComm_t* result, int count, const int* devices) {
  return nccl_call("ncclCommInitAll", [&] {
    if (state().device_count == 0) return ncclUnhandledCudaError;
    if (!result || count < 1) return refused(ncclInvalidArgument, "no communicators");
    std::set<int> used;
    for (int rank = 0; rank < count; ++rank) {
      const int device = devices ? devices[rank] : rank;
      if (!is_device(device)) return refused(ncclUnhandledCudaError, "there is no device " + std::to_string(device));
      if (!used.insert(device).second)
        return refused(ncclInvalidUsage, "device " + std::to_string(device) + " is named twice");
    }
    const auto clique = std::make_shared<int>(count);
    for (int rank = 0; rank < count; ++rank) {
      auto made = std::make_unique<Communicator>(Communicator{clique, rank, devices ? devices[rank] : rank});
      result[rank] = reinterpret_cast<ncclComm_t>(made.get());
      state().others[made.get()] = "a communicator of device " + std::to_string(made->device);
      communicators()[made.get()] = std::move(made);
    }
    return ncclSuccess;
  });
}

ncclResult_t ncclCommDestroy(ncclComm_t handle) {
  return nccl_call("ncclCommDestroy", [&] {
    if (!communicator_of(handle)) return refused(ncclInvalidArgument, "not a communicator; destroyed twice?");
    communicators().erase(handle);
    state().others.erase(handle);
    return ncclSuccess;
  });
}

ncclResult_t ncclCommCount(ncclComm_t handle, int* count) {
  return nccl_call("ncclCommCount", [&] {
    const Communicator* rank = communicator_of(handle);
    if (!rank) return refused(ncclInvalidArgument, "not a communicator; destroyed?");
    *count = *rank->clique;
    return ncclSuccess;
  });
}

ncclResult_t ncclGroupStart() {
  return nccl_call("ncclGroupStart", [&] {
    ++group_depth;
    return ncclSuccess;
  });
}

ncclResult_t ncclGroupEnd() {
  return nccl_call("ncclGroupEnd", [&] {
    if (group_depth == 0) return refused(ncclInvalidUsage, "there is no group");
    if (--group_depth > 0 || group.empty()) return ncclSuccess;
    return launch_group(std::exchange(group, {}));
  });
}

ncclResult_t ncclBroadcast(const void* send, void* receive, std::size_t count, ncclDataType_t type, int root,
                           ncclComm_t rank, cudaStream_t stream) {
  return nccl_call("ncclBroadcast", [&] {
    return ask({Request::Kind::broadcast, send, receive, count, type, ncclSum, root, {}, stream}, rank);
  });
}

ncclResult_t ncclAllReduce(const void* send, void* receive, std::size_t count, ncclDataType_t type,
                           ncclRedOp_t operation, ncclComm_t rank, cudaStream_t stream) {
  return nccl_call("ncclAllReduce", [&] {
    return ask({Request::Kind::all_reduce, send, receive, count, type, operation, 0, {}, stream}, rank);
  });
}

ncclResult_t ncclAllGather(const void* send, void* receive, std::size_t count, ncclDataType_t type, ncclComm_t rank,
                           cudaStream_t stream) {
  return nccl_call("ncclAllGather", [&] {
    return ask({Request::Kind::all_gather, send, receive, count, type, ncclSum, 0, {}, stream}, rank);
  });
}

}  // extern "C"
