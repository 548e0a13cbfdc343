/// Reads the weights of a file, whatever its format.
#pragma once
#include "container.hpp"
#include "copy_elements.hpp"
#include "safetensors.hpp"
#include "state_dict.hpp"
#include "torch_file.hpp"
#include <string>
#include <string_view>

namespace lamina::io {

/// The tensors of a weight file by name, in the order of the file: what torch.save wrote (.pt, .pth, .pkl; see
/// read_torch_file) or safetensors. No tensor is copied: the records refer to the mapped file, which the result keeps.
/// The names are as they are in the file, with prefixes such as `module.`. A damaged, hostile or unknown file throws
/// checkpoint_error, which names the file, the place in it and the reason; code in a file is never run.
[[gnu::noinline]] inline StateDict read_state_dict(MappedFile file) {
  const Container container = container_of(file);
  if (container == Container::safetensors) return read_safetensors(std::move(file));
  return read_torch_file(std::move(file), container).tensors;
}
inline StateDict read_state_dict(const std::string& path) { return read_state_dict(MappedFile(path)); }

}  // namespace lamina::io
