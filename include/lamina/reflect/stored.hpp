/// Parameters and buffers without their types: one list serves all code that loads, packs or counts them.
#pragma once
#include "module.hpp"
#include <string>
#include <vector>

namespace lamina {

/// A parameter or buffer of a model. The storage is the model's own; it is empty before the first write.
template <class StoragePointer> struct StoredTensor {
  std::string path{};
  StoragePointer storage = nullptr;
  Dims dims{};
  Dtype dtype = Dtype::float32;
  bool buffer = false, saved = true;  ///< a transient buffer is not saved

  std::size_t bytes() const { return std::size_t(count(dims)) * item_size(dtype); }
};

namespace detail {
template <class StoragePointer> struct CollectStored {
  std::vector<StoredTensor<StoragePointer>> list{};

  void add(const Path& path, StoragePointer storage, const Dims& dims, Dtype dtype, bool buffer, bool saved) {
    StoredTensor<StoragePointer> tensor{{}, storage, dims, dtype, buffer, saved};
    path.append_to(tensor.path);
    list.push_back(std::move(tensor));
  }
  template <class P> void operator()(const Path& path, P& parameter) {
    add(path, &parameter.storage(), P::dims, dtype_of<typename P::value_type>, is_buffer<std::remove_const_t<P>>,
        is_saved<std::remove_const_t<P>>);
  }
};
}  // namespace detail

/// Every parameter and buffer of a model in state_dict order, for reading (const Net) or writing.
template <class Net> auto stored_tensors(Net& net) {
  using Pointer = std::conditional_t<std::is_const_v<Net>, const Storage*, Storage*>;
  detail::CollectStored<Pointer> collect;
  for_each_stored(net, collect);
  return std::move(collect.list);
}

}  // namespace lamina
