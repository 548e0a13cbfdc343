/// What every fuzzer of the weight formats does with an input.
#pragma once
#include <cstddef>
#include <cstdint>
#include <lamina/io/read.hpp>
#include <lamina/io/torch_structure.hpp>
#include <string_view>
#include <vector>

namespace fuzz {

using namespace lamina;

/// Reads the elements of tensors. Those that are large for the size of the input repeat elements, and say nothing new.
inline void read_elements(const io::StateDict& tensors) {
  constexpr std::uint64_t most = 1 << 16;
  std::vector<std::byte> elements;
  for (const io::TensorRecord& tensor : tensors) {
    const std::uint64_t size = std::uint64_t(tensor.numel()) * item_size(tensor.dtype);
    if (size > most) continue;
    elements.resize(size);
    io::copy_elements(tensor, tensor.dtype, elements.data());
  }
}

/// Runs a reader, which may refuse the input by checkpoint_error and by nothing else.
template <class Read> int attempt(const std::uint8_t* data, std::size_t size, Read read) {
  try {
    read(io::MappedFile("input", {reinterpret_cast<const char*>(data), size}));
  } catch (const checkpoint_error&) {}
  return 0;
}

/// Everything in a file of torch.save.
inline void read_torch(const io::TorchFile& file) {
  read_elements(file.tensors);
  io::module_tree(file);
}

}  // namespace fuzz
