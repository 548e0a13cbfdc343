/// A device for tests: its blocks are on the heap, under addresses that trap when the host touches them.
#pragma once
#include <cstdlib>
#include <cstring>
#include <lamina/eager/evaluation.hpp>
#include <stdexcept>
#include <string>
#include <vector>

/// Counts its blocks, notes what it is asked to compute, and can be told to fail.
class FakeDevice final : public lamina::DeviceMemory {
  static constexpr std::uintptr_t trap = std::uintptr_t(1) << 62;  // no address of a program on x86-64 or arm64
  static std::byte* flipped(const std::byte* block) {
    return reinterpret_cast<std::byte*>(reinterpret_cast<std::uintptr_t>(block) ^ trap);
  }
  void count_copy() {
    if (copies_until_failure == 0) throw std::runtime_error("the device has failed");
    if (copies_until_failure > 0) --copies_until_failure;
  }

 public:
  int blocks = 0;
  int copies_until_failure = -1;         ///< negative: never
  std::vector<std::string> evaluated{};  ///< operations, with the number of their parameters and what is fused to them

  explicit FakeDevice(int index) : DeviceMemory(lamina::cuda{index}) {}
  ~FakeDevice() = default;

  lamina::Storage allocate(std::size_t bytes) override {
    auto* const block = static_cast<std::byte*>(std::malloc(bytes + 1));
    std::memset(block, 0xff, bytes);  // NaN in every floating-point type
    ++blocks;
    return lamina::Storage::in(*this, flipped(block), bytes);
  }
  void release(std::byte* block, std::size_t) noexcept override {
    std::free(flipped(block));
    --blocks;
  }
  void copy_from_host(std::byte* to, const std::byte* from, std::size_t bytes) override {
    count_copy();
    std::memcpy(flipped(to), from, bytes);
  }
  void copy_to_host(std::byte* to, const std::byte* from, std::size_t bytes) override {
    count_copy();
    std::memcpy(to, flipped(from), bytes);
  }
  void copy_from(lamina::DeviceMemory&, std::byte* to, const std::byte* from, std::size_t bytes) override {
    count_copy();
    std::memcpy(flipped(to), flipped(from), bytes);
  }
  /// Computes nothing.
  lamina::Storage evaluate(const lamina::Evaluation& e) override {
    std::string note(std::visit([](const auto& op) { return op.name; }, e.operation));
    int parameters = 0;
    for (int k = 0; e.parameters && k < 4; ++k) parameters += bool(e.parameters[k]);
    note += " " + std::to_string(e.operand_count) + "/" + std::to_string(parameters);
    if (e.norm) note += ", norm";
    if (e.residual) note += ", sum";
    if (e.activation.kind != lamina::ops::Activation::Kind::identity) note += ", function";
    evaluated.push_back(note);
    return allocate(std::size_t(count(e.dims)) * sizeof(float));
  }

  /// The same bytes on this device.
  lamina::Storage upload(const lamina::Storage& storage) {
    lamina::Storage copy = allocate(storage.bytes());
    lamina::Storage::copy_bytes(copy, 0, storage, 0, storage.bytes());
    return copy;
  }
};
