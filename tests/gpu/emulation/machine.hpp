/// What a compiled module and launch.cpp know of each other.
#pragma once
#include <vector_types.h>

namespace emulated {

/// What launch.cpp tells a module, and what it offers to it.
struct Machine {
  uint3 thread, block;
  dim3 grid_extents, block_extents;
  void (*wait_for_block)(unsigned line);
  void (*wait_for_warp)(unsigned mask, unsigned line);
  /// The value that lane `lane` of the warp gives; everyone in the mask takes part.
  void (*exchange)(unsigned mask, unsigned line, const void* mine, void* result, unsigned bytes, int lane);
  unsigned (*vote)(unsigned mask, unsigned line, bool mine);
};

struct Parameter {
  unsigned bytes;
  bool is_pointer, is_written;
};

}  // namespace emulated
