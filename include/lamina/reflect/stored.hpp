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
class StoredWalk;

/// A type of member, as the walk over a model sees it. `list_members` is all that is compiled anew for every type of
/// module; the walk itself is ordinary code.
struct MemberType {
  enum Turn : unsigned char { parameter, buffer, child } turn;  ///< in a state_dict a module's own come before children
  bool saved = true;
  Dtype dtype = Dtype::float32;
  Dims dims{};
  void (*list_members)(const void* module, StoredWalk& walk) = nullptr;  ///< of a module
};

/// Lists the parameters and buffers of a model with their paths.
class StoredWalk {
  std::string path;
  MemberType::Turn turn = MemberType::parameter;

 public:
  std::vector<StoredTensor<const Storage*>> list;

  void members(const void* module, const MemberType& type) {
    for (const auto now : {MemberType::parameter, MemberType::buffer, MemberType::child}) {
      turn = now;
      type.list_members(module, *this);
    }
  }
  /// Takes in a member if it is its turn: `address` is that of a storage or of a module.
  [[gnu::noinline]] void member(std::string_view name, const void* address, const MemberType& type) {
    if (type.turn != turn) return;
    const std::size_t above = path.size();
    if (above > 0) path += '.';
    path += name;
    if (type.turn == MemberType::child) members(address, type);
    else
      list.push_back({path, static_cast<const Storage*>(address), type.dims, type.dtype,
                      type.turn == MemberType::buffer, type.saved});
    path.resize(above);
  }
};

template <class M> void list_members(const void* module, StoredWalk& walk);
template <class P>
inline constexpr MemberType stored_type{.turn = is_buffer<P> ? MemberType::buffer : MemberType::parameter,
                                        .saved = is_saved<P>,
                                        .dtype = dtype_of<typename P::value_type>,
                                        .dims = P::dims};
template <class M> inline constexpr MemberType module_type{.turn = MemberType::child, .list_members = list_members<M>};

struct ListMember {
  StoredWalk& walk;
  template <class T> void operator()(std::string_view name, const T& member) const {
    if constexpr (stored<T>) walk.member(name, &member.storage(), stored_type<T>);
    else if constexpr (module<T>) walk.member(name, &member, module_type<T>);
  }
};
template <class M> void list_members(const void* module, StoredWalk& walk) {
  for_each_member(*static_cast<const M*>(module), ListMember{walk});
}
}  // namespace detail

/// Every parameter and buffer of a model in state_dict order, for reading.
template <class Net> std::vector<StoredTensor<const Storage*>> stored_tensors(const Net& net) {
  detail::StoredWalk walk;
  walk.members(&net, detail::module_type<Net>);
  return std::move(walk.list);
}
/// The same for writing.
template <class Net> std::vector<StoredTensor<Storage*>> stored_tensors(Net& net) {
  std::vector<StoredTensor<Storage*>> list;
  for (auto& tensor : stored_tensors(std::as_const(net)))
    list.push_back({std::move(tensor.path), const_cast<Storage*>(tensor.storage), tensor.dims, tensor.dtype,
                    tensor.buffer, tensor.saved});
  return list;
}

}  // namespace lamina
