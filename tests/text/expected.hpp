/// What PyTorch says of a model: NAME.txt is print(net), NAME.json holds keys with shapes, the names of named_modules
/// and the number of parameters, as Python's json writes them.
#pragma once
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>
#include <lamina/reflect/keys.hpp>
#include <lamina/reflect/print.hpp>
#include <sstream>

inline std::string expected(const std::string& file) {
  std::ifstream in(LAMINA_SOURCE_ROOT "/tests/text/" + file, std::ios::binary);
  if (!in) FAIL(file << " is missing");
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::string dotted(const lamina::Path& path) {
  std::string text;
  path.append_to(text);
  return text;
}

/// The description of a model as json.dump writes it.
template <class Net> std::string description(const Net& net) {
  std::string keys, modules;
  lamina::idx parameters = 0;
  lamina::for_each_stored(net, [&]<class P>(const lamina::Path& path, const P&) {
    if (lamina::is_parameter<P>) parameters += P::size;
    if constexpr (lamina::is_buffer<P>)
      if (!P::persistent) return;
    keys += (keys.empty() ? "[\"" : ", [\"") + dotted(path) + "\", " + std::string((lamina::Text{} << P::dims).view()) +
            "]";
  });
  lamina::for_each_module(net, [&](const lamina::Path& path, const auto&) {
    modules += (path.root() ? "\"" : ", \"") + dotted(path) + '"';
  });
  return "{\"keys\": [" + keys + "], \"modules\": [" + modules + "], \"parameters\": " + std::to_string(parameters) +
         "}";
}

/// The text and the description of a model, through `<<`, at run time and as constants.
template <class Net> void check_text(const std::string& name, const Net& net) {
  using namespace lamina;
  const std::string text = expected(name + ".txt"), json = expected(name + ".json");
  std::ostringstream out;
  out << net << '\n';
  CHECK(out.str() == text);
  CHECK(to_string(net) + '\n' == text);
  CHECK(description(net) == json);

  std::vector<std::string> walked;
  for_each_stored(net, [&]<class P>(const Path& path, const P&) {
    if (lamina::detail::is_saved<P>) walked.push_back(dotted(path));
  });
  CHECK(std::equal(walked.begin(), walked.end(), state_dict_keys<Net>.begin(), state_dict_keys<Net>.end()));
  CHECK(json.ends_with("\"parameters\": " + std::to_string(parameter_count<Net>) + "}"));
}
