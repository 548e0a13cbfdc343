/// The plan of a model: a table of steps over one arena, made from the graph of values. The same functions make it in a
/// constant expression (static extents) and at run time (dyn extents).
///
///   graph -> split      a large batch becomes micro-batches
///         -> arrange    every value gets a layout; copies change it where they must
///         -> fuse       a producer takes in batch norm, an addition, an activation
///         -> place      concatenations become offsets, results are written over operands, buffers share one arena
///         -> steps      operations with the places of their operands
///
/// What a plan must know of kernels it asks a backend:
///   layouts_of(operation, extents, layouts, operands, options)   the layouts it wants and makes, given those of its
///                                                        operands
///   honours_item_stride(operation)                       operands and results may be parts of a concatenation
///   joins_items(dims, axis, layout, part)                an operand of a concatenation, of extents `part`, can be
///                                                        computed where it belongs in the items of the result
///   works_in_place(operation)                            the result may be written over an operand of the same extents
///   writes_over_residual                                 what is added may be in the memory of the result
///   copies_rename                                        a copy may be under other extents, as an alias is
///   splits_batches                                       a large batch becomes micro-batches
///   method_of(operation, extents, layout, options, budget)   the algorithm, for a first operand and what is left of
///                                                        the budget for packed weights, in floats
///   kernels_of(operation, method, options)               what it needs compiled, as bits of a mask
///   packed_floats(operation, parameter, method, size)    floats of a packed parameter of so many elements
///   scratch_of(operation, extents, second, method)       floats of working memory: for all threads, and for each
#pragma once
#include "../meta/graph.hpp"
#include "layout.hpp"
#include "options.hpp"

namespace lamina::planning {

/// Alignment of every buffer in the arena, in floats.
inline constexpr idx arena_alignment = 16;

/// Whose memory a place is in.
enum class Source : unsigned char { nowhere, input, arena, weights, output };

/// Where a value lies: the source, which input or output (or, of weights, step) it is, the offset in elements, and how
/// its items lie.
struct Place {
  Source source = Source::nowhere;
  Dtype dtype = Dtype::float32;
  Layout layout = Layout::planar;
  int index = 0;
  idx offset = 0;
  idx item_stride = 0;
  Dims dims{};
};

/// One call of a kernel.
struct Step {
  Operation operation{};
  int node = -1;                        ///< the value of the graph that the kernel starts from
  int first_operand = 0, operands = 0;  ///< a range of Plan::operands; a residual is the last of them
  bool has_residual = false;
  ops::Activation activation{};
  std::uint8_t method = 0;               ///< the backend's algorithm
  int parameters[4] = {-1, -1, -1, -1};  ///< of the operation: numbers in state_dict order, -1 where absent
  int norm[4] = {-1, -1, -1, -1};        ///< of a batch norm that is folded into the weights
  double norm_eps = 0;
  bool has_norm = false, norm_affine = false;
  idx weights = 0, weight_floats = 0;  ///< the step's block of the packed weights
  idx packed[4] = {-1, -1, -1, -1};    ///< where the operation's parameters lie in the block
  Place out{};
};

/// The working memory of a plan, in floats: the activations, and scratch behind them, for all threads together and for
/// each. The steps run once for each micro-batch (micro_batch.hpp).
struct Extent {
  idx activations = 0, scratch_shared = 0, scratch_each = 0;
  idx micro_batches = 1;

  /// With as many micro-batches as threads, or more, threads run whole ones; else they share every step out.
  constexpr bool apart(int threads) const { return threads > 1 && micro_batches >= threads; }
  /// Never fewer for more threads.
  constexpr idx floats(int threads) const {
    const idx alone = activations + scratch_shared + scratch_each,
              apart = (threads < micro_batches ? threads : micro_batches) * alone,
              shared = alone + (threads - 1) * scratch_each;
    return apart > shared ? apart : shared;
  }
};

/// Steps in order, and what they need.
struct Plan {
  std::vector<Step> steps{};
  std::vector<Place> operands{};
  std::vector<Place> outputs{};  ///< extents of the results, of the whole batch
  Extent memory{};
  idx packed = 0;             ///< floats of packed weights
  idx unplanned = 0;          ///< floats of activations if every value had memory of its own
  std::uint64_t kernels = 0;  ///< what the steps call, as the backend names it
};

}  // namespace lamina::planning
