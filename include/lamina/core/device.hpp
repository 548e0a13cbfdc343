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

}  // namespace lamina
