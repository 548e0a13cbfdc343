/// Reads the weights of a file, whatever its format.
#pragma once
#include "container.hpp"
#include "copy_elements.hpp"
#include "safetensors.hpp"
#include "sharded.hpp"
#include "state_dict.hpp"
#include "torch_file.hpp"
#include <string>
#include <string_view>

namespace lamina::io {

namespace detail {
// A file that holds its tensors itself.
[[gnu::cold]] inline StateDict read_single(MappedFile file) {
  const Container container = container_of(file);
  if (container == Container::index)
    refuse(file.path(), "", "is JSON, not weights, in the place of a file that an index names");
  if (container == Container::safetensors) return read_safetensors(std::move(file));
  return read_torch_file(std::move(file), container).tensors;
}
}  // namespace detail

/// The tensors of a weight file by name, in the order of the file: what torch.save wrote (.pt, .pth, .pkl; see
/// read_torch_file), safetensors, or the index of weights in several files (model.safetensors.index.json). No tensor is
/// copied: the records refer to the mapped files, which the result keeps. The names are as they are in the file, with
/// prefixes such as `module.`. A damaged, hostile or unknown file throws checkpoint_error, which names the file, the
/// place in it and the reason; code in a file is never run.
[[gnu::noinline, gnu::cold]] inline StateDict read_state_dict(MappedFile file) {
  if (container_of(file) == Container::index) return read_sharded(std::move(file), detail::read_single);
  return detail::read_single(std::move(file));
}
inline StateDict read_state_dict(const std::string& path) { return read_state_dict(MappedFile(path)); }

}  // namespace lamina::io
