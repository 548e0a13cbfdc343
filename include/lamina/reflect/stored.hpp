/// Parameters and buffers without their types: one list serves all code that loads, packs or counts them.
#pragma once
#include "../core/list.hpp"
#include "module.hpp"
#include <string>

namespace lamina {

/// A parameter or buffer of a model. The storage is the model's own; it is empty before the first write.
template <class StoragePointer> struct StoredTensor {
  std::string path{};
  StoragePointer storage = nullptr;
  Dims dims{};
  Dtype dtype = Dtype::float32;
  bool buffer = false, saved = true;  ///< a transient buffer is not saved
  bool again = false;                 ///< under another name before

  std::size_t bytes() const { return std::size_t(count(dims)) * item_size(dtype); }
};
/// Those of a model.
template <class StoragePointer> using StoredTensors = detail::List<StoredTensor<StoragePointer>>;

namespace detail {
struct MemberType;
struct NamedMember {
  std::string_view name{};
  const MemberType* type = nullptr;  ///< null for members that hold no parameters
  bool again = false;                ///< a second name of another member
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
  Names names;
  bool again = false;

 public:
  StoredTensors<const Storage*> list;

  explicit StoredWalk(Names n) : names(n) {}

  void members(const void* module, const MemberType& type) {
    List<const void*> addresses(type.count);
    type.find_members(module, addresses.data());
    for (const auto turn : {MemberType::parameter, MemberType::buffer, MemberType::child})
      for (std::size_t i = 0; i < type.count; ++i)
        if (const NamedMember& m = type.members[i]; m.type && m.type->turn == turn)
          m.again ? shared_member(m.name, addresses[i], *m.type) : member(m.name, addresses[i], *m.type);
  }

 private:
  void member(std::string_view name, const void* address, const MemberType& type) {
    const std::size_t above = path.size();
    if (above > 0) path += '.';
    path += name;
    if (type.turn == MemberType::child) members(address, type);
    else
      list.push_back({path, static_cast<const Storage*>(address), type.dims, type.dtype,
                      type.turn == MemberType::buffer, type.saved, again});
    path.resize(above);
  }
  /// Takes in a module under a second name.
  void shared_member(std::string_view name, const void* address, const MemberType& type) {
    if (names == Names::first) return;
    const bool outer = std::exchange(again, true);
    member(name, address, type);
    again = outer;
  }
};

template <class P>
inline constexpr MemberType stored_type{.turn = is_buffer<P> ? MemberType::buffer : MemberType::parameter,
                                        .saved = is_saved<P>,
                                        .dtype = dtype_of<typename P::value_type>,
                                        .dims = P::dims};

struct FindMembers {
  const void**& addresses;
  template <class T> void operator()(std::string_view, const T& member, bool = false) const {
    if constexpr (stored<T>) *addresses++ = &member.storage();
    else *addresses++ = &member;
  }
};
template <class M> void find_members(const void* module, const void** addresses) {
  const M& net = *static_cast<const M*>(module);
  const FindMembers find{addresses};
  if constexpr (shares_members<M>) for_each_member(net, EveryName<M, const FindMembers>{net, find});
  else for_each_member(net, find);
}

template <class M> struct StoredModule;
template <class T> constexpr const MemberType* stored_member_type() {
  if constexpr (stored<T>) return &stored_type<T>;
  else if constexpr (module<T>) return &StoredModule<T>::type;
  else return nullptr;
}
template <class... T, class... Own> constexpr auto name_members(types<T...>, types<Own...>, const auto& names) {
  std::array<NamedMember, sizeof...(T)> members{};
  std::size_t i = 0;
  ((members[i] = {names.name[i], stored_member_type<T>(), is_shared<Own>}, ++i), ...);
  return members;
}
template <class M> struct StoredModule {
  static constexpr auto members = name_members(listed_types<M>{}, member_types<M>{}, Members<M>::names);
  static constexpr MemberType type{
      .turn = MemberType::child, .members = members.data(), .count = members.size(), .find_members = find_members<M>};
};
}  // namespace detail

/// Every parameter and buffer of a model in state_dict order, for reading. A shared module's are listed once, or with
/// `Names::all` under every key that the state_dict has.
template <class Net> StoredTensors<const Storage*> stored_tensors(const Net& net, Names names = Names::first) {
  detail::StoredWalk walk(names);
  walk.members(&net, detail::StoredModule<Net>::type);
  return std::move(walk.list);
}
/// The same for writing.
template <class Net> StoredTensors<Storage*> stored_tensors(Net& net, Names names = Names::first) {
  StoredTensors<Storage*> list;
  for (auto& tensor : stored_tensors(std::as_const(net), names))
    list.push_back({std::move(tensor.path), const_cast<Storage*>(tensor.storage), tensor.dims, tensor.dtype,
                    tensor.buffer, tensor.saved, tensor.again});
  return list;
}

}  // namespace lamina
