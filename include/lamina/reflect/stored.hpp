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
struct MemberType;
struct NamedMember {
  std::string_view name{};
  const MemberType* type = nullptr;  ///< null for members that hold no parameters
};

/// A type of member, as the walk over a model sees it. Tables, and `find_members`, are all that is made anew for every
/// type of module; the walk itself is ordinary code.
struct MemberType {
  enum Turn : unsigned char { parameter, buffer, child } turn;  ///< in a state_dict a module's own come before children
  bool saved = true;
  Dtype dtype = Dtype::float32;
  Dims dims{};
  // Of a module:
  const NamedMember* members = nullptr;
  std::size_t count = 0;
  void (*find_members)(const void* module, const void** addresses) = nullptr;  ///< of storages and modules
};

/// Lists the parameters and buffers of a model with their paths.
class StoredWalk {
  std::string path;

 public:
  std::vector<StoredTensor<const Storage*>> list;

  void members(const void* module, const MemberType& type) {
    std::vector<const void*> addresses(type.count);
    type.find_members(module, addresses.data());
    for (const auto turn : {MemberType::parameter, MemberType::buffer, MemberType::child})
      for (std::size_t i = 0; i < type.count; ++i)
        if (const NamedMember& m = type.members[i]; m.type && m.type->turn == turn)
          member(m.name, addresses[i], *m.type);
  }

 private:
  void member(std::string_view name, const void* address, const MemberType& type) {
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

template <class P>
inline constexpr MemberType stored_type{.turn = is_buffer<P> ? MemberType::buffer : MemberType::parameter,
                                        .saved = is_saved<P>,
                                        .dtype = dtype_of<typename P::value_type>,
                                        .dims = P::dims};

struct FindMembers {
  const void**& addresses;
  template <class T> void operator()(std::string_view, const T& member) const {
    if constexpr (stored<T>) *addresses++ = &member.storage();
    else *addresses++ = &member;
  }
};
template <class M> void find_members(const void* module, const void** addresses) {
  for_each_member(*static_cast<const M*>(module), FindMembers{addresses});
}

template <class M> struct StoredModule;
template <class T> constexpr const MemberType* stored_member_type() {
  if constexpr (stored<T>) return &stored_type<T>;
  else if constexpr (module<T>) return &StoredModule<T>::type;
  else return nullptr;
}
template <class... T> constexpr auto name_members(types<T...>, const auto& names) {
  std::array<NamedMember, sizeof...(T)> members{};
  std::size_t i = 0;
  ((members[i] = {names.name[i], stored_member_type<T>()}, ++i), ...);
  return members;
}
template <class M> struct StoredModule {
  static constexpr auto members = name_members(member_types<M>{}, Members<M>::names);
  static constexpr MemberType type{
      .turn = MemberType::child, .members = members.data(), .count = members.size(), .find_members = find_members<M>};
};
}  // namespace detail

/// Every parameter and buffer of a model in state_dict order, for reading.
template <class Net> std::vector<StoredTensor<const Storage*>> stored_tensors(const Net& net) {
  detail::StoredWalk walk;
  walk.members(&net, detail::StoredModule<Net>::type);
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
