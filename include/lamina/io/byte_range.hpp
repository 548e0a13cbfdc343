/// Ranges of bytes in a file, and their order.
#pragma once
#include "../core/list.hpp"
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace lamina::io {

/// Bytes begin to end - 1, and whose they are.
struct ByteRange {
  std::uint64_t begin, end;
  std::size_t owner;

  static int compare(const void* a, const void* b) {
    const auto &x = *static_cast<const ByteRange*>(a), &y = *static_cast<const ByteRange*>(b);
    if (x.begin != y.begin) return x.begin < y.begin ? -1 : 1;
    if (x.end != y.end) return x.end < y.end ? -1 : 1;
    return x.owner < y.owner ? -1 : x.owner > y.owner;
  }
};

/// Sorts by begin, then by end. C's qsort, because std::sort takes a program 0.1 s more to compile.
inline void sort(lamina::detail::List<ByteRange>& ranges) {
  if (!ranges.empty()) std::qsort(ranges.data(), ranges.size(), sizeof(ByteRange), ByteRange::compare);
}

}  // namespace lamina::io
