/// Where the elements of a tensor live.
#pragma once
#include <cstdint>

namespace lamina {

/// A device: the host, or a numbered accelerator.
struct Device {
  enum class Kind : std::uint8_t { cpu, cuda };
  Kind kind = Kind::cpu;
  int index = 0;
  friend constexpr bool operator==(const Device&, const Device&) = default;
};

/// The host: `to(net, cpu{})`.
struct cpu {
  constexpr operator Device() const { return {}; }
};

/// GPU number `index`: `to(net, cuda{0})`.
struct cuda {
  int index = 0;
  constexpr operator Device() const { return {Device::Kind::cuda, index}; }
};

}  // namespace lamina
