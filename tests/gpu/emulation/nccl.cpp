/// NCCL: communicators of one process, and collective operations of all its devices.
///
/// The calls of a thread between ncclGroupStart and ncclGroupEnd are matched there: every rank of a communicator has to
/// make the same calls. A rank that is missing is a fault, the hang that it would be. Threads that call for one rank
/// each are not emulated: their calls look like those of a rank alone.
#include "state.hpp"
#include "values.hpp"
#include <algorithm>
#include <cstdio>
#include <nccl.h>

namespace emulation {
namespace {

struct Communicator {
  std::shared_ptr<int> clique;  // common to its ranks; holds their number
  int rank, device;
};

/// What one rank asks for.
struct Request {
  enum class Kind { broadcast, all_reduce, all_gather } kind;
  const void* send;
  void* receive;
  std::size_t count;
  ncclDataType_t type;
  ncclRedOp_t operation;
  int root;
  Communicator rank;
  cudaStream_t stream;
};

/// An operation of all ranks. Whichever stream comes to it first brings the others as far, and does the work of all.
struct Meeting {
  std::vector<Request> requests;  // by rank
  std::vector<std::pair<std::shared_ptr<Stream>, long>> places;
  bool done = false;
};

std::map<const void*, std::unique_ptr<Communicator>>& communicators() {
  static auto* all = new std::map<const void*, std::unique_ptr<Communicator>>;
  return *all;
}
thread_local int group_depth = 0;
thread_local std::vector<Request> group;
thread_local char last_message[1024] = "";  // without a destructor: communicators may be destroyed when a thread ends

ncclResult_t refused(ncclResult_t result, const std::string& why) {
  std::snprintf(last_message, sizeof last_message, "%s", why.c_str());
  fault(why + " (" + ncclGetErrorString(result) + ")");
  return result;
}

template <class Body> ncclResult_t nccl_call(const char* name, Body body) {
  Call call(name);
  return call.injected != 0 ? ncclResult_t(call.injected) : body();
}

const Communicator* communicator_of(ncclComm_t handle) {
  const auto found = communicators().find(handle);
  return found == communicators().end() ? nullptr : found->second.get();
}

std::size_t bytes_of(ncclDataType_t type) {
  switch (type) {
  case ncclInt8:
  case ncclUint8: return 1;
  case ncclFloat16:
  case ncclBfloat16: return 2;
  case ncclInt64:
  case ncclUint64:
  case ncclFloat64: return 8;
  default: return 4;
  }
}

/// What a request reads, and what it writes.
std::vector<Access> accesses_of(const Request& request) {
  const std::size_t bytes = request.count * bytes_of(request.type);
  const bool gathers = request.kind == Request::Kind::all_gather;
  const bool sends = request.kind != Request::Kind::broadcast || request.rank.rank == request.root;
  std::vector<Access> accesses{{request.receive, gathers ? bytes * std::size_t(*request.rank.clique) : bytes, true}};
  if (sends && request.send != request.receive) accesses.push_back({request.send, bytes, false});
  return accesses;
}

/// Numbers as floats, by way of a tensor of cuDNN.
TensorShape shape_of(const Request& request) {
  const auto type = request.type == ncclFloat16    ? CUDNN_DATA_HALF
                    : request.type == ncclBfloat16 ? CUDNN_DATA_BFLOAT16
                                                   : CUDNN_DATA_FLOAT;
  const auto count = std::int64_t(request.count);
  return {0, type, {1, 1, count}, {count, count, 1}, 1, false};
}

void reduce(const std::vector<Request>& requests) {
  const TensorShape shape = shape_of(requests[0]);
  Values result = load(shape, alias_of(requests[0].send));
  for (std::size_t rank = 1; rank < requests.size(); ++rank) {
    const Values other = load(shape, alias_of(requests[rank].send));
    for (std::size_t i = 0; i < result.elements.size(); ++i) {
      float& own = result.elements[i];
      const float value = other.elements[i];
      switch (requests[0].operation) {
      case ncclProd: own *= value; break;
      case ncclMax: own = std::max(own, value); break;
      case ncclMin: own = std::min(own, value); break;
      default: own += value;
      }
    }
  }
  if (requests[0].operation == ncclAvg)
    for (float& value : result.elements) value /= float(requests.size());
  for (const Request& request : requests) store(shape, result, alias_of(request.receive));
}

void carry_out(const std::vector<Request>& requests) {
  const std::size_t bytes = requests[0].count * bytes_of(requests[0].type);
  switch (requests[0].kind) {
  case Request::Kind::all_reduce: return reduce(requests);
  case Request::Kind::broadcast:
    for (const Request& request : requests)
      std::memmove(alias_of(request.receive), alias_of(requests[std::size_t(request.root)].send), bytes);
    return;
  case Request::Kind::all_gather:
    for (const Request& to : requests)
      for (std::size_t from = 0; from < requests.size(); ++from)
        std::memmove(alias_of(to.receive) + from * bytes, alias_of(requests[from].send), bytes);
  }
}

void meet(Meeting& meeting) {
  if (std::exchange(meeting.done, true)) return;
  for (const auto& [stream, place] : meeting.places) run(*stream, place - 1);
  for (const Request& request : meeting.requests)
    for (const Access& access : accesses_of(request))
      if (!block_of(access.at)) return;  // of a device that was reset
  carry_out(meeting.requests);
}

/// Why the requests of all ranks cannot be one operation, or nothing.
std::string mismatch(const std::vector<Request>& requests) {
  const Request& first = requests[0];
  for (const Request& other : requests) {
    if (other.kind != first.kind) return "ranks call different operations";
    if (other.count != first.count || other.type != first.type)
      return "ranks give different numbers of elements, or types";
    if (first.kind == Request::Kind::broadcast && other.root != first.root) return "ranks name different roots";
    if (first.kind == Request::Kind::all_reduce && other.operation != first.operation)
      return "ranks name different reductions";
  }
  return "";
}

ncclResult_t launch(std::vector<Request> requests) {
  if (const std::string wrong = mismatch(requests); !wrong.empty()) return refused(ncclInvalidUsage, wrong);
  auto meeting = std::make_shared<Meeting>(Meeting{std::move(requests), {}, false});
  for (const Request& request : meeting->requests)
    if (enqueue(request.stream, {"collective", accesses_of(request), [meeting] { meet(*meeting); }}) != cudaSuccess)
      return ncclUnhandledCudaError;
    else meeting->places.emplace_back(stream_of(request.stream), stream_of(request.stream)->end());
  return ncclSuccess;
}

/// A rank with fewer calls than another, in words, or nothing.
std::string missing_rank(const std::vector<std::vector<Request>>& ranks) {
  const auto fewer = [](const auto& a, const auto& b) { return a.size() < b.size(); };
  const auto [least, most] = std::minmax_element(ranks.begin(), ranks.end(), fewer);
  if (least->size() == most->size()) return "";
  return "rank " + std::to_string(least - ranks.begin()) + " makes " + std::to_string(least->size()) +
         " calls in this group, rank " + std::to_string(most - ranks.begin()) + " makes " +
         std::to_string(most->size()) + ": they would wait for each other for ever";
}

/// Matches the k-th request of every rank, for all k.
ncclResult_t launch_group(const std::vector<Request>& all) {
  std::map<std::shared_ptr<int>, std::vector<std::vector<Request>>> cliques;
  for (const Request& request : all) {
    auto& ranks = cliques[request.rank.clique];
    ranks.resize(std::size_t(*request.rank.clique));
    ranks[std::size_t(request.rank.rank)].push_back(request);
  }
  for (const auto& [clique, ranks] : cliques)
    if (const std::string wrong = missing_rank(ranks); !wrong.empty()) return refused(ncclInvalidUsage, wrong);
  for (const auto& [clique, ranks] : cliques)
    for (std::size_t k = 0; k < ranks[0].size(); ++k) {
      std::vector<Request> requests;
      for (const auto& of_rank : ranks) requests.push_back(of_rank[k]);
      if (const ncclResult_t result = launch(std::move(requests)); result != ncclSuccess) return result;
    }
  return ncclSuccess;
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
