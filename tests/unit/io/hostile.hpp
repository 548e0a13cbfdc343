/// Tables of files that must be refused, each with a name and a piece of the message.
#pragma once
#include "hand_built.hpp"
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <ctime>
#include <sys/resource.h>

namespace hand_built {

struct Hostile {
  const char* name;   ///< what is wrong with the file
  std::string bytes;  ///< the file
  const char* why;    ///< a piece of the message that must come
};

/// Every file is refused with its message, within the bounds that hold for any small file: 10 seconds of processor
/// time and 1 GiB.
inline void check_refused(const std::vector<Hostile>& files) {
  for (const auto& [name, bytes, why] : files) {
    INFO(name);
    const std::clock_t start = std::clock();
    CHECK_THAT(refusal(bytes), Catch::Matchers::ContainsSubstring(why));
    CHECK(std::clock() - start < 10 * CLOCKS_PER_SEC);
  }
#if !defined(__SANITIZE_ADDRESS__)
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  CHECK(usage.ru_maxrss < 1 << 20);  // in KiB
#endif
}

inline std::string repeated(const std::string& text, std::size_t count) {
  std::string result;
  result.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

}  // namespace hand_built
