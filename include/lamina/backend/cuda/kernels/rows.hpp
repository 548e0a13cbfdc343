/// Kernels that reduce: each row of elements is a team's, which is a thread, a warp or a block.
#pragma once
#include "../source.hpp"

namespace lamina::gpu {

/// The axes along which rows lie, and those of the elements of a row; the first tensor is the one that is reduced.
struct Rows {
  Axes rows, elements;
  unsigned team = 1, threads = 256;
  idx lanes = 1;  ///< elements side by side that a thread takes together

  explicit Rows(int tensors) : rows(tensors), elements(tensors) {}
  void share_out(const KernelCall& call);
};

/// Threads read neighbours: elements of a row, or, where these lie apart, one element of as many rows.
[[gnu::cold]] inline void Rows::share_out(const KernelCall& call) {
  constexpr idx many_rows = 1024, warp_size = 2048, block_size = 1 << 16;
  for (Axes* axes : {&rows, &elements}) {
    axes->order_by(0);
    axes->merge();
  }
  const idx size = elements.size();
  if (elements.inner_step(0) > 1 && rows.size() >= many_rows && rows.inner_step(0) == 1) return;
  team = size <= warp_size ? 32 : size <= block_size ? 256 : 1024;
  if (team > 32) threads = team;
  bool side_by_side = elements.rank > 0;
  for (int t = 0; t < elements.tensors; ++t) side_by_side = side_by_side && elements.inner_step(t) <= 1;
  if (!side_by_side) return;
  lanes = item_size(call.operands[0].dtype) < 4 || item_size(call.out.dtype) < 4 ? 8 : 4;
  while (elements.axes[elements.rank - 1].extent % lanes != 0) lanes /= 2;
}

/// Declares how rows are shared out, and for each tensor N_row(row) and N_element(k), where they are in it. Bodies are
/// what is done for a `row`; they loop over its elements `k` from `member * lanes` on by `team * lanes`.
[[gnu::cold]] inline void begin_rows(KernelSource& source, Rows& r, std::initializer_list<const char*> names) {
  r.share_out(source.call());
  source.constant("rows", r.rows.size());
  source.constant("size", r.elements.size());
  source.constant("lanes", r.lanes);
  source.constant("team", idx(r.team));
  int t = 0;
  for (const std::string name : names) {
    source.function(name + "_row", "row", r.rows.offset(t, "row"));
    source.function(name + "_element", "k", r.elements.offset(t, "k"));
    source.constant(name + "_runs", r.elements.inner_step(t) == 1);
    ++t;
  }
  source.body << R"(
  const index member = threadIdx.x % team;
  for (index row = first() / team; row < rows; row += step / team) {
)";
}

/// Of a row of x0: the largest element, and the sum of the exponentials of how far elements are below it.
inline constexpr std::string_view exponentials_body = R"(    const X0* const x = x0 + x_row(row);
    float v[lanes], most = -infinity, sum = 0;
    for (index k = member * lanes; k < size; k += team * lanes) {
      load(x + x_element(k), v);
#pragma unroll
      for (int j = 0; j < lanes; ++j) most = Most()(most, v[j]);
    }
    most = combine<team>(most, Most());
    for (index k = member * lanes; k < size; k += team * lanes) {
      load(x + x_element(k), v);
#pragma unroll
      for (int j = 0; j < lanes; ++j) sum += expf(v[j] - most);
    }
    sum = combine<team>(sum, Sum());
)";

}  // namespace lamina::gpu
