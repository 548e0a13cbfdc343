/// Replacing a layer of a model.
#pragma once
#include "access.hpp"
#include "rebuild.hpp"
#include "replaceable.hpp"

namespace lamina {

namespace detail {
/// The template arguments of a type, as far as C++20 can match them: up to six values, then types.
template <class T> struct Arguments {
  static constexpr bool unmatched = true;
  using list = types<>;
};
template <template <class...> class T, class... A> struct Arguments<T<A...>> {
  using list = types<A...>;
  template <class... New> using with = T<New...>;
};
template <template <auto, class...> class T, auto V1, class... A> struct Arguments<T<V1, A...>> {
  using list = types<A...>;
  template <class... New> using with = T<V1, New...>;
};
template <template <auto, auto, class...> class T, auto V1, auto V2, class... A> struct Arguments<T<V1, V2, A...>> {
  using list = types<A...>;
  template <class... New> using with = T<V1, V2, New...>;
};
template <template <auto, auto, auto, class...> class T, auto V1, auto V2, auto V3, class... A>
struct Arguments<T<V1, V2, V3, A...>> {
  using list = types<A...>;
  template <class... New> using with = T<V1, V2, V3, New...>;
};
template <template <auto, auto, auto, auto, class...> class T, auto V1, auto V2, auto V3, auto V4, class... A>
struct Arguments<T<V1, V2, V3, V4, A...>> {
  using list = types<A...>;
  template <class... New> using with = T<V1, V2, V3, V4, New...>;
};
template <template <auto, auto, auto, auto, auto, class...> class T, auto V1, auto V2, auto V3, auto V4, auto V5,
          class... A>
struct Arguments<T<V1, V2, V3, V4, V5, A...>> {
  using list = types<A...>;
  template <class... New> using with = T<V1, V2, V3, V4, V5, New...>;
};
template <template <auto, auto, auto, auto, auto, auto, class...> class T, auto V1, auto V2, auto V3, auto V4, auto V5,
          auto V6, class... A>
struct Arguments<T<V1, V2, V3, V4, V5, V6, A...>> {
  using list = types<A...>;
  template <class... New> using with = T<V1, V2, V3, V4, V5, V6, New...>;
};

/// T with `New` as its type argument number K.
template <class T, std::size_t K, class New, class List, class Index> struct Rebound;
template <class T, std::size_t K, class New, class... A, std::size_t... I>
struct Rebound<T, K, New, types<A...>, std::index_sequence<I...>> {
  using type = typename Arguments<T>::template with<std::conditional_t<I == K, New, A>...>;
};
template <class T, std::size_t K, class New>
using rebound = typename Rebound<T, K, New, typename Arguments<T>::list,
                                 std::make_index_sequence<length(typename Arguments<T>::list{})>>::type;

/// True if the members of R are those of T, but for number I, which is a `New`.
template <std::size_t I, class New, class... R, class... T, std::size_t... J>
constexpr bool differ_in_one(types<R...>, types<T...>, std::index_sequence<J...>) {
  return (std::is_same_v<R, std::conditional_t<J == I, New, T>> && ...);
}
template <class R, class T, std::size_t I, class New> constexpr bool differs_in_one_member() {
  if constexpr (member_count<R> != member_count<T>) return false;
  else return differ_in_one<I, New>(member_types<R>{}, member_types<T>{}, std::make_index_sequence<member_count<T>>{});
}

/// T with `named<Name, New>` among its type arguments: in the place of one of this name, or behind the last. void if T
/// takes no more arguments.
template <class T, fixed_string Name, class New, class List> struct Renamed;
template <class T, fixed_string Name, class New, class... A> struct Renamed<T, Name, New, types<A...>> {
  template <class Old> struct renew { using type = Old; };
  template <class Old> struct renew<named<Name, Old>> { using type = named<Name, New>; };
  template <class... All> static constexpr auto with() {
    // g++ 12 takes no alias template as a type requirement.
    if constexpr (requires { std::type_identity<typename Arguments<T>::template with<All...>>{}; })
      return std::type_identity<typename Arguments<T>::template with<All...>>{};
    else return std::type_identity<void>{};
  }
  static constexpr bool there = (std::is_same_v<A, typename renew<A>::type> + ... + 0) < int(sizeof...(A));
  static constexpr auto find() {
    if constexpr (there) return with<typename renew<A>::type...>();
    else return with<A..., named<Name, New>>();
  }
};
template <class T, std::size_t I> constexpr auto member_name_text() {
  constexpr std::string_view name = member_name<T>(I);
  fixed_string<name.size() + 1> text;
  for (std::size_t i = 0; i < name.size(); ++i) text.chars[i] = name[i];
  text.chars[name.size()] = '\0';
  return text;
}

/// T with a `New` as member I, and all other members as they are: where a type argument from number K on stands for the
/// member, or where the member is `replaceable`. void if neither is so.
template <class T, std::size_t I, class New, std::size_t K = 0> constexpr auto find_rebound() {
  using List = typename Arguments<T>::list;
  if constexpr (K == length(List{})) {
    using R = typename decltype(Renamed<T, member_name_text<T, I>(), New, List>::find())::type;
    if constexpr (std::is_void_v<R>) return std::type_identity<void>{};
    else if constexpr (differs_in_one_member<R, T, I, New>()) return std::type_identity<R>{};
    else return std::type_identity<void>{};
  } else if constexpr (!std::is_same_v<nth_of_t<K, List>, nth_of_t<I, member_types<T>>>)
    return find_rebound<T, I, New, K + 1>();
  else if constexpr (differs_in_one_member<rebound<T, K, New>, T, I, New>())
    return std::type_identity<rebound<T, K, New>>{};
  else return find_rebound<T, I, New, K + 1>();
}

template <class T, std::size_t I> constexpr Text not_rebindable() {
  const std::string_view net = class_name<T>(), member = member_name<T>(I);
  Text text;
  text << "replace: no type parameter of " << net << " stands for its member " << member << ", a "
       << type_label<nth_of_t<I, member_types<T>>>() << ": write template <class T> struct " << net
       << " with a member T " << member;
  // What is left of a template's arguments in its name begins behind the class name.
  if (requires { Arguments<T>::unmatched; } && net.data()[net.size()] == '<')
    text << "; at most six values come before the types";
  return text;
}

template <std::size_t At, class T, class R, std::size_t... J>
constexpr void move_members(T& from, R& to, std::index_sequence<J...>) {
  const auto move_one = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
    if constexpr (I != At) get_member<I>(to) = std::move(get_member<I>(from));
  };
  (move_one(std::integral_constant<std::size_t, J>{}), ...);
}

template <std::size_t I, class T, class Layer> constexpr auto replace_member(T& net, Layer&& layer) {
  using New = std::remove_cvref_t<Layer>;
  using Old = nth_of_t<I, member_types<T>>;
  if constexpr (std::is_same_v<New, Old>) {
    get_member<I>(net) = std::forward<Layer>(layer);
    return std::move(net);
  } else {
    using R = typename decltype(find_rebound<T, I, New>())::type;
    if constexpr (std::is_void_v<R>) {
      fail<not_rebindable<T, I>()>();
      return std::move(net);
    } else {
      R result{};
      move_members<I>(net, result, std::make_index_sequence<member_count<T>>{});
      get_member<I>(result) = std::forward<Layer>(layer);
      return result;
    }
  }
}
}  // namespace detail

/// The container with another layer at position I, under the same name. PyTorch: `list[i] = layer`.
template <idx I, detail::edited C, class Layer> constexpr auto replace(C&& list, Layer&& layer) {
  using T = std::remove_cvref_t<C>;
  constexpr bool ok = detail::takes_rvalue<C, "replace", "replace<0>(std::move(list), layer)">() &&
                      detail::takes_layer<Layer, "replace">();
  if constexpr (ok) {
    constexpr std::size_t at = T::template position<I>();
    using Child = typename detail::with_layer<detail::child_at_t<T, at>, std::remove_cvref_t<Layer>>::type;
    return detail::splice<Child, idx(at), 1>(list, std::forward<Layer>(layer));
  } else return T{};
}

/// The model with another layer under a name or dotted path; all other weights move over.
///   auto net10 = replace<"fc">(std::move(net), Linear<2048, 10>{});
///   auto named = replace<"fc.output">(std::move(net), Softmax<1>{});
///   auto other = replace<"layer4.2.conv3">(std::move(net), Conv2d<512, 2048, conv{.kernel_size = 1}>{});
/// In a container any child can be replaced. A member of an aggregate can be replaced by a layer of its own type, and
/// by one of another type where the member is `replaceable`, as all of lamina's models' are, or where a type parameter
/// of the aggregate stands for it. Value parameters (up to six) come before the types:
///   template <int Classes, class Fc = Linear<512, Classes>> struct Net { ...; Fc fc; };
/// All modules on the way are rebuilt, so each of them has to be replaceable in the one above it; `adapt` moves the
/// weights of others.
/// PyTorch: `net.fc = layer`.
template <fixed_string Path, class M, class Layer>
requires module<std::remove_cvref_t<M>>
constexpr auto replace(M&& net, Layer&& layer) {
  using T = std::remove_cvref_t<M>;
  constexpr bool rvalue = !std::is_lvalue_reference_v<M> && !std::is_const_v<M>;
  if constexpr (!rvalue)
    fail<Text{} << "replace takes the model as an rvalue: replace<\"" << Path.view() << "\">(std::move(net), layer)",
         T>();
  if constexpr (!(rvalue && detail::takes_layer<Layer, "replace">())) return T{};
  else if constexpr (detail::has_dot<Path>) {
    constexpr auto head = detail::path_head<Path>();
    return replace<head>(std::move(net),
                         replace<detail::path_tail<Path>()>(std::move(get<head>(net)), std::forward<Layer>(layer)));
  } else {
    constexpr idx at = detail::find_child<T>(Path.view());
    if constexpr (at < 0) {
      fail<Text{} << "replace: " << detail::no_child<T>(Path.view())>();
      return T{};
    } else if constexpr (container<T>) return replace<at>(std::move(net), std::forward<Layer>(layer));
    else return detail::replace_member<std::size_t(at)>(net, std::forward<Layer>(layer));
  }
}

}  // namespace lamina
