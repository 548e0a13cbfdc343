/// Several GPUs of one process: NCCL's communicators, and models that are copied to each GPU at once.
#pragma once
#include "device_weights.hpp"
#include "to.hpp"
#include <deque>
#include <nccl.h>

namespace lamina::gpu {

/// Throws nccl_error if a call of NCCL failed: the call, and NCCL's texts.
inline void check(ncclResult_t result, const char* call) {
  if (result == ncclSuccess) return;
  throw nccl_error(
      std::string((Text{} << call << ": " << ncclGetErrorString(result) << ": " << ncclGetLastError(nullptr)).view()));
}

/// One communicator a device, in one process. A single device needs none.
class Communicators {
  std::vector<int> devices_;
  std::vector<ncclComm_t> communicators;

 public:
  /// Different devices.
  explicit Communicators(std::vector<int> devices) : devices_(std::move(devices)) {
    if (devices_.size() < 2) return;
    for (const int device : devices_) open_pool(device);
    std::vector<ncclComm_t> made(devices_.size());
    check(ncclCommInitAll(made.data(), int(made.size()), devices_.data()), "ncclCommInitAll");
    communicators = std::move(made);
  }
  ~Communicators() {
    for (const ncclComm_t communicator : communicators) static_cast<void>(ncclCommDestroy(communicator));
  }
  Communicators(const Communicators&) = delete;
  Communicators& operator=(const Communicators&) = delete;

  const std::vector<int>& devices() const { return devices_; }

  /// Copies the blocks of the first device to those of the others, in one group: blocks[r][k] is on device number r,
  /// and the k-th are of one size. Returns when it is done.
  void broadcast(const std::vector<std::vector<Storage>>& blocks) const {
    if (communicators.empty()) return;
    std::deque<Turn> turns;
    for (std::size_t r = 0; r < devices_.size(); ++r)
      for (const Storage& block : blocks[r])
        turns.emplace_back(static_cast<StreamMemory&>(*block.memory()), Context::of(devices_[r]).memory());
    check(ncclGroupStart(), "ncclGroupStart");
    for (std::size_t k = 0; k < blocks[0].size(); ++k)
      for (std::size_t r = 0; r < devices_.size(); ++r)
        check(ncclBroadcast(blocks[0][k].data(), blocks[r][k].data(), blocks[r][k].bytes(), ncclUint8, 0,
                            communicators[r], Context::of(devices_[r]).stream()),
              "ncclBroadcast");
    check(ncclGroupEnd(), "ncclGroupEnd");
    for (const int device : devices_) Context::of(device).synchronize();
  }

 private:
  /// GPUs that are connected read each other's memory directly, within one process the blocks themselves; a pool has to
  /// allow that (NCCL_P2P_DIRECT_DISABLE in NCCL's manual).
  void open_pool(int device) const {
    std::vector<cudaMemAccessDesc> peers;
    for (const int peer : devices_) {
      int connected = 0;
      if (peer != device) check(cudaDeviceCanAccessPeer(&connected, peer, device), "cudaDeviceCanAccessPeer");
      if (connected) peers.push_back({{cudaMemLocationTypeDevice, peer}, cudaMemAccessFlagsProtReadWrite});
    }
    if (!peers.empty())
      check(cudaMemPoolSetAccess(memory_pool(device), peers.data(), peers.size()), "cudaMemPoolSetAccess");
  }
};

/// A copy of a model on each GPU; parameters that share memory still do. It is sent to the first GPU, and from there to
/// all others at once. PyTorch: torch.nn.parallel.replicate.
template <class Net> std::vector<Net> replicate(const Net& net, const Communicators& group) {
  const Blocks source(stored_tensors(net));
  std::vector<Blocks> blocks(group.devices().size(), source);
  std::vector<std::vector<Storage>> sent(blocks.size());
  for (std::size_t r = 0; r < blocks.size(); ++r)
    for (Storage& block : blocks[r].storages) {
      if (!block) continue;
      const Device device = cuda{group.devices()[r]};
      block = r == 0 ? copied(block, device) : Context::of(device.index).allocate(block.bytes());
      block.written();
      sent[r].push_back(block);
    }
  group.broadcast(sent);
  Net empty = net;  // copied without its memory
  for (const StoredTensor<Storage*>& tensor : stored_tensors(empty)) *tensor.storage = Storage();
  std::vector<Net> replicas(blocks.size(), empty);
  for (std::size_t r = 0; r < blocks.size(); ++r) blocks[r].give_to(stored_tensors(replicas[r]));
  return replicas;
}

/// The same packed weights on each device of a group, the first of which has these: sent from there to all others at
/// once.
inline std::vector<DeviceWeights> replicate(const DeviceWeights& packed, const Communicators& group) {
  std::vector<DeviceWeights> replicas;
  std::vector<std::vector<Storage>> sent;
  for (const int device : group.devices()) {
    replicas.push_back(replicas.empty() ? packed : packed.similar(device));
    sent.push_back(replicas.back().storages());
  }
  group.broadcast(sent);
  return replicas;
}

}  // namespace lamina::gpu
