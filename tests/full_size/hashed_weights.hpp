/// Weights that any program can make from the names of a network's state_dict, so that whole networks are compared
/// without files of their size. u(key, i) is in [0, 1) and exact in float32; i runs over the elements in row-major
/// order:
///
///   h(key)    = FNV-1a 64 of the key
///   u(key, i) = (splitmix64(h(key) + i) >> 40) * 2^-24
///
/// Convolutions and linear layers:
///
///   weight                    (2u - 1) * float32(sqrt(6 / fan_in)), fan_in = elements / dimension 0
///   bias                      (2u - 1) * 0.1
///
/// Batch normalisation:
///
///   weight, running_var       0.5 + u
///   bias, running_mean        (2u - 1) * 0.1
///   num_batches_tracked       1
#pragma once
#include <cmath>
#include <cstdint>
#include <lamina.hpp>
#include <set>
#include <string_view>
#include <utility>

namespace full_size {

/// FNV-1a, 64 bits (Fowler, Noll, Vo).
constexpr std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

/// splitmix64 (Steele, Lea, Flood 2014): the output for a state.
constexpr std::uint64_t splitmix64(std::uint64_t state) {
  std::uint64_t z = state + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// u(key, i), from the hash of the key.
constexpr float uniform(std::uint64_t hash, std::uint64_t i) { return float(splitmix64(hash + i) >> 40) * 0x1p-24f; }

/// The path of the module that a key belongs to, and the name there.
constexpr std::string_view owner_of(std::string_view key) { return key.substr(0, key.rfind('.')); }
constexpr std::string_view name_of(std::string_view key) { return key.substr(key.rfind('.') + 1); }

/// The value of every element of a float tensor. `norm`: it belongs to a batch normalisation.
inline void fill(float* elements, std::string_view key, const lamina::Dims& dims, bool norm) {
  const std::uint64_t hash = fnv1a(key);
  const std::string_view name = name_of(key);
  const lamina::idx size = count(dims);
  const bool shifted = norm && (name == "weight" || name == "running_var");
  const float scale = !norm && name == "weight" ? float(std::sqrt(6.0 / double(size / dims[0]))) : 0.1f;
  for (lamina::idx i = 0; i < size; ++i) {
    const float u = uniform(hash, std::uint64_t(i));
    elements[i] = shifted ? u + 0.5f : (2 * u - 1) * scale;
  }
}

/// Fills a model. A module is a batch normalisation if it has running statistics.
template <class Net> void fill(Net& net) {
  const auto tensors = lamina::stored_tensors(net);
  std::set<std::string_view> norms;
  for (const auto& tensor : tensors)
    if (name_of(tensor.path) == "running_mean") norms.insert(owner_of(tensor.path));
  for (const auto& tensor : tensors) {
    lamina::Storage elements(tensor.bytes());
    if (tensor.dtype == lamina::Dtype::float32)
      fill(reinterpret_cast<float*>(elements.data()), tensor.path, tensor.dims, norms.contains(owner_of(tensor.path)));
    else *reinterpret_cast<std::int64_t*>(elements.data()) = 1;  // num_batches_tracked
    *tensor.storage = std::move(elements);
  }
}

}  // namespace full_size
