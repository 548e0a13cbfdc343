/// Collective operations of the emulated NCCL: collectives.hpp.
#include "collectives.hpp"
#include "values.hpp"
#include <algorithm>
#include <utility>

namespace emulation {
namespace {

/// An operation of all ranks. Whichever stream comes to it first brings the others as far, and does the work of all.
struct Meeting {
  std::vector<Request> requests;  // by rank
  std::vector<std::pair<std::shared_ptr<Stream>, long>> places;
  bool done = false;
};

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

}  // namespace

std::vector<Access> accesses_of(const Request& request) {
  const std::size_t bytes = request.count * bytes_of(request.type);
  const bool gathers = request.kind == Request::Kind::all_gather;
  const bool sends = request.kind != Request::Kind::broadcast || request.rank.rank == request.root;
  std::vector<Access> accesses{{request.receive, gathers ? bytes * std::size_t(*request.rank.clique) : bytes, true}};
  if (sends && request.send != request.receive) accesses.push_back({request.send, bytes, false});
  return accesses;
}

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

}  // namespace emulation
