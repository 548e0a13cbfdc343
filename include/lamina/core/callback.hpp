/// A reference to a function object.
#pragma once

namespace lamina::detail {

/// What takes a Callback instead of any function object is compiled once. It must not outlive the object.
template <class... Arguments> class Callback {
  const void* object;
  void (*call)(const void*, Arguments...);

 public:
  template <class F>
  Callback(const F& f)
      : object(&f), call([](const void* o, Arguments... arguments) { (*static_cast<const F*>(o))(arguments...); }) {}
  void operator()(Arguments... arguments) const { call(object, arguments...); }
};

}  // namespace lamina::detail
