/// What the generated tests call. Templates here only make tensors of the right type and call the model; comparisons,
/// files and messages are in golden.cpp, compiled once.
#pragma once
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <lamina.hpp>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace golden {

/// Reports the check as skipped.
void skip(const char* reason);
/// Reports the check as failed: the library lacks what the case asks for.
void fail(const char* reason);

/// Equal texts, the second without the line break at the end of a file.
void check_text(const std::string& text, const char* expected);
void check_text_of_file(const std::string& text, const char* path);

/// Equal names in equal order; `expected` has one a line.
void check_keys(std::span<const std::string_view> keys, const char* expected);

/// The tensors of a file, those with the prefix `module.` without it, are in the order of `keys` and equal to those of
/// `weights` bit for bit. A file that is `optional` may be refused.
void check_tensors(const char* path, const char* weights, const char* keys, bool optional);

/// A file is refused by checkpoint_error, or may be if it is `optional`; nothing appears in the folder `canary`.
void check_refused(const char* path, bool optional, const char* canary);

/// Loads a file, and compares the names of the load_error with the expected ones, one a line; none are expected where
/// the file fits. Returns whether it was loaded.
bool check_names(void (*load)(void* net, const char* path), void* net, const char* path, const char* missing,
                 const char* unexpected, const char* mismatched);

/// The tensors of a file. Read in golden.cpp, so that the code which reads files is compiled once.
lamina::io::StateDict tensors_of(const char* path);

/// Inputs and results of a case.
class Reference {
 public:
  explicit Reference(const char* path);
  /// The values of a tensor, whose element type and extents must be these.
  void read(const std::string& name, lamina::Dtype dtype, const lamina::Dims& dims, void* to) const;
  /// max|x - reference| <= tolerance * scale, scale = largest finite |reference|; equal elements count as 0, infinities
  /// and NaN too.
  void compare(const std::string& name, const lamina::Dims& dims, const float* x, double tolerance) const;

 private:
  lamina::io::StateDict tensors;
};

using Stored = lamina::StoredTensors<const lamina::Storage*>;
/// What a model stores equals the tensors of the file, whose names lack the prefix, bit for bit.
void check_stored(const Stored& stored, const char* weights, std::string_view prefix);

/// Loads a file into a model and compares the model with the weights of the case. DataParallel models store the names
/// of the case behind a prefix.
template <class Net> void check_load(const char* path, const char* weights, std::string_view prefix = "") {
  Net net;
  lamina::load(net, tensors_of(path));
  check_stored(lamina::stored_tensors(std::as_const(net)), weights, prefix);
}

/// A strict load lists the names that PyTorch lists, or fits; what is refused leaves the model without values.
template <class Net>
void check_strict(const char* path, const char* missing, const char* unexpected, const char* mismatched) {
  Net net;
  const auto load = [](void* into, const char* from) { lamina::load(*static_cast<Net*>(into), tensors_of(from)); };
  const bool loaded = check_names(load, &net, path, missing, unexpected, mismatched);
  for (const auto& tensor : lamina::stored_tensors(std::as_const(net))) CHECK(bool(*tensor.storage) == loaded);
}

template <class Spec> auto input(const Reference& reference, int index) {
  using Declared = lamina::input_spec<Spec>;
  lamina::Tensor<typename Declared::value_type, typename Declared::shape_type> x;
  reference.read("x" + std::to_string(index), lamina::dtype_of<typename Declared::value_type>, x.dims(), x.data());
  return x;
}
template <class... Spec, int... I> auto inputs(const Reference& reference, std::integer_sequence<int, I...>) {
  return std::tuple{input<Spec>(reference, I)...};
}
template <class... Spec> auto inputs(const Reference& reference) {
  return inputs<Spec...>(reference, std::make_integer_sequence<int, sizeof...(Spec)>());
}

/// One result is `eval.y`, several are `eval.y0`, `eval.y1`, ...
template <class T, class S>
void check_results(const Reference& reference, double tolerance, const lamina::Tensor<T, S>& y) {
  reference.compare("eval.y", y.dims(), y.data(), tolerance);
}
template <class... T>
void check_results(const Reference& reference, double tolerance, const std::tuple<T...>& results) {
  int index = 0;
  std::apply(
      [&](const T&... y) {
        (reference.compare("eval.y" + std::to_string(index++), y.dims(), y.data(), tolerance), ...);
      },
      results);
}

/// The results of eager evaluation, computed.
template <class Y> auto computed(Y&& y) { return lamina::materialise(std::forward<Y>(y)); }
template <class... Y> auto computed(std::tuple<Y...>&& results) {
  return std::apply([](auto&... y) { return std::tuple{lamina::materialise(std::move(y))...}; }, results);
}

template <class Net> Net loaded(const char* weights) {
  Net net;
  if (weights) lamina::load(net, tensors_of(weights));
  return net;
}

/// net(x), on tensors.
template <class Net, class... Spec> void check_eager(const char* weights, const char* io, double tolerance) {
  const Reference reference(io);
  const Net net = loaded<Net>(weights);
  std::apply([&](const auto&... x) { check_results(reference, tolerance, computed(net(x...))); },
             inputs<Spec...>(reference));
}

/// compile<Shape>(net)(x), twice: a compiled model reuses its memory.
template <class Net, class... Spec> void check_planned(const char* weights, const char* io, double tolerance) {
  const Reference reference(io);
  auto engine = lamina::compile<Spec...>(loaded<Net>(weights));
  std::apply(
      [&](const auto&... x) {
        check_results(reference, tolerance, engine(x...));
        check_results(reference, tolerance, engine(x...));
      },
      inputs<Spec...>(reference));
}

template <class X>
concept meets_numbers = requires(const X& x) {
  x + 2.0f, 2.0f - x, x * 2.0f, 2.0f / x;
};
/// Runs a check that computes with tensors and numbers, `x * 2.0f`, or fails where the library has no such arithmetic.
template <class Check> void with_numbers(Check check) {
  if constexpr (meets_numbers<lamina::Tensor<float, lamina::Shape<1>>>) check(std::true_type());
  else fail("no lamina equivalent of arithmetic with a tensor and a number");
}

/// Extent number I of a forward's operand, as a constant.
template <class X, int I> inline constexpr lamina::idx extent = X::shape_type::dims[I];

}  // namespace golden

using namespace lamina::literals;
