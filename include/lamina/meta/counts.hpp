/// What a forward costs and gives, as constants.
#pragma once
#include "meta.hpp"

namespace lamina {

namespace detail {
template <class Result> struct shape_of_result { using type = typename Result::shape_type; };
template <class... R> struct shape_of_result<std::tuple<R...>> {
  using type = std::tuple<typename shape_of_result<R>::type...>;
};
template <class A, class B> struct shape_of_result<std::pair<A, B>> : shape_of_result<std::tuple<A, B>> {};
template <class Net, class... Spec>
using meta_result = std::remove_cvref_t<decltype(std::declval<const Net&>()(std::declval<meta_input<Spec>>()...))>;
}  // namespace detail

/// The shape of what `Net` returns for inputs `Spec...` (Shape<...> for float32, or Tensor<T, Shape<...>>); a
/// std::tuple of shapes where it returns several. Extents that are `dyn` in the inputs stay `dyn`.
///   static_assert(std::is_same_v<output_shape<UNet<3, 2>, Shape<dyn, 3, 37, 53>>, Shape<dyn, 2, 37, 53>>);
template <class Net, class... Spec>
using output_shape = typename detail::shape_of_result<detail::meta_result<Net, Spec...>>::type;

namespace detail {
template <class Net, class... Spec> constexpr idx count_macs() {
  constexpr bool known = (is_static(input_spec<Spec>::shape_type::dims) && ...);
  if constexpr (!known) {
    fail<Text{} << "macs needs static extents, not"
                << ((Text{} << ' ' << input_spec<Spec>::shape_type::dims) << ...)>();
    return 0;
  } else return macs_of(lamina::record_graph<Net, Spec...>());
}
}  // namespace detail

/// Multiply-accumulates of one forward, as torchvision's tables and torchinfo count them: convolutions, linear layers
/// and matrix products.
///   static_assert(macs<ResNet50, Shape<1, 3, 224, 224>> == 4'089'184'256);
template <class Net, class... Spec> inline constexpr idx macs = detail::count_macs<Net, Spec...>();

}  // namespace lamina
