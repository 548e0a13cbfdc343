/// The emulated NCCL: ranks meet, and a rank that is missing is found.
#include "machine.hpp"
#include <nccl.h>

using namespace emulation_test;

namespace {
using Floats = std::vector<float>;

/// A communicator, a stream and memory on each of two devices.
struct Ranks {
  ncclComm_t comm[2]{};
  Stream stream[2]{Stream(0), Stream(1)};
  Ranks() { REQUIRE(ncclCommInitAll(comm, 2, nullptr) == ncclSuccess); }
  ~Ranks() {
    for (const ncclComm_t one : comm) ncclCommDestroy(one);
  }
  Ranks(const Ranks&) = delete;
};
}  // namespace

TEST_CASE("all ranks get the sum, the first rank's values, and everyone's") {
  const Ranks ranks;
  const Array<> a(ranks.stream[0], Floats{1, 2}), b(ranks.stream[1], Floats{10, 20});
  const Array<> all_a(ranks.stream[0], 4), all_b(ranks.stream[1], 4);
  const Array<>* const own[] = {&a, &b};
  const Array<>* const all[] = {&all_a, &all_b};
  const auto group = [&](auto call) {
    REQUIRE(ncclGroupStart() == ncclSuccess);
    for (int rank = 0; rank < 2; ++rank) REQUIRE(call(rank) == ncclSuccess);
    REQUIRE(ncclGroupEnd() == ncclSuccess);
  };
  group([&](int rank) {
    return ncclAllGather(own[rank]->data, all[rank]->data, 2, ncclFloat32, ranks.comm[rank], ranks.stream[rank]);
  });
  CHECK(all_a.values() == Floats{1, 2, 10, 20});
  CHECK(all_b.values() == Floats{1, 2, 10, 20});
  group([&](int rank) {
    return ncclAllReduce(own[rank]->data, own[rank]->data, 2, ncclFloat32, ncclSum, ranks.comm[rank],
                         ranks.stream[rank]);
  });
  CHECK(b.values() == Floats{11, 22});
  CHECK(a.values() == Floats{11, 22});
  group([&](int rank) {
    return ncclBroadcast(all[rank]->data + 2, own[rank]->data, 2, ncclFloat32, 1, ranks.comm[rank], ranks.stream[rank]);
  });
  CHECK(a.values() == Floats{10, 20});
  CHECK(emulation::faults().empty());
}

TEST_CASE("a rank that is missing, or alone") {
  const Ranks ranks;
  const Array<> a(ranks.stream[0], 2);
  const auto sum = [&](std::size_t count) {
    return ncclAllReduce(a.data, a.data, count, ncclFloat32, ncclSum, ranks.comm[0], ranks.stream[0]);
  };
  REQUIRE(ncclGroupStart() == ncclSuccess);
  REQUIRE(sum(2) == ncclSuccess);
  CHECK(ncclGroupEnd() == ncclInvalidUsage);
  CHECK_THAT(the_fault(),
             ContainsSubstring("rank 1 makes 0 calls in this group, rank 0 makes 1: they would wait for each other"));
  CHECK(sum(2) == ncclInvalidUsage);
  CHECK_THAT(the_fault(), ContainsSubstring("rank 1 makes 0 calls"));
}

TEST_CASE("ranks that do not agree") {
  const Ranks ranks;
  const Array<> a(ranks.stream[0], 2), b(ranks.stream[1], 2);
  const auto group = [&](std::size_t second_count, ncclRedOp_t second_operation) {
    REQUIRE(ncclGroupStart() == ncclSuccess);
    REQUIRE(ncclAllReduce(a.data, a.data, 2, ncclFloat32, ncclSum, ranks.comm[0], ranks.stream[0]) == ncclSuccess);
    REQUIRE(ncclAllReduce(b.data, b.data, second_count, ncclFloat32, second_operation, ranks.comm[1],
                          ranks.stream[1]) == ncclSuccess);
    return ncclGroupEnd();
  };
  CHECK(group(1, ncclSum) == ncclInvalidUsage);
  CHECK_THAT(the_fault(), ContainsSubstring("different numbers of elements"));
  CHECK(group(2, ncclMax) == ncclInvalidUsage);
  CHECK_THAT(the_fault(), ContainsSubstring("different reductions"));
}

TEST_CASE("streams and memory of another rank's device") {
  const Ranks ranks;
  const Array<> a(ranks.stream[0], 2), b(ranks.stream[1], 2);
  CHECK(ncclAllReduce(a.data, a.data, 2, ncclFloat32, ncclSum, ranks.comm[0], ranks.stream[1]) == ncclInvalidUsage);
  CHECK_THAT(the_fault(), ContainsSubstring("rank 0 is device 0, the stream is of device 1"));
  CHECK(ncclAllReduce(b.data, b.data, 2, ncclFloat32, ncclSum, ranks.comm[0], ranks.stream[0]) == ncclInvalidArgument);
  CHECK_THAT(the_fault(), ContainsSubstring("rank 0 gives memory of another device"));
  CHECK(ncclAllReduce(a.data, a.data, 3, ncclFloat32, ncclSum, ranks.comm[0], ranks.stream[0]) == ncclInvalidArgument);
  CHECK_THAT(the_fault(), ContainsSubstring("of a block of 8"));
}

TEST_CASE("communicators of devices that are not there, and destroyed twice") {
  ncclComm_t comm[3]{};
  CHECK(ncclCommInitAll(comm, 3, nullptr) == ncclUnhandledCudaError);
  CHECK_THAT(the_fault(), ContainsSubstring("there is no device 2"));
  const int same[] = {0, 0};
  CHECK(ncclCommInitAll(comm, 2, same) == ncclInvalidUsage);
  CHECK_THAT(the_fault(), ContainsSubstring("device 0 is named twice"));
  REQUIRE(ncclCommInitAll(comm, 1, nullptr) == ncclSuccess);
  REQUIRE(ncclCommDestroy(comm[0]) == ncclSuccess);
  CHECK(ncclCommDestroy(comm[0]) == ncclInvalidArgument);
  CHECK_THAT(the_fault(), ContainsSubstring("destroyed twice"));
}
