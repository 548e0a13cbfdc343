/// Collective operations of the emulated NCCL: what ranks ask for, and the work when all have asked.
#pragma once
#include "state.hpp"
#include <nccl.h>

namespace emulation {

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

std::vector<Access> accesses_of(const Request& request);  ///< what it reads, and what it writes

/// Matches the k-th request of every rank, for all k. A rank without one is a fault, the hang that it would be.
ncclResult_t launch_group(const std::vector<Request>& all);

ncclResult_t refused(ncclResult_t result, const std::string& why);  ///< nccl.cpp: a fault, and the result

}  // namespace emulation
