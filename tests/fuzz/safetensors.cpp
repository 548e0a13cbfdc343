#include "read_all.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::attempt(data, size,
                       [](lamina::io::MappedFile file) { fuzz::read_elements(lamina::io::read_safetensors(file)); });
}
