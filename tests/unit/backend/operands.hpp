/// Operands for kernel tests: memory of exact size (so that sanitizers see every stray access), deterministic contents,
/// items that lie apart, and gaps that must stay untouched.
#pragma once
#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <lamina/backend/cpu/planar.hpp>
#include <limits>
#include <memory>
#include <random>
#include <vector>

namespace backend_test {
using namespace lamina;

inline constexpr float untouched = 12345.678f;
inline constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN(),
                       infinity = std::numeric_limits<float>::infinity();

/// A float tensor whose items lie `gap` elements further apart than they must.
struct Operand {
  Dims dims;
  idx stride;
  std::vector<float> memory;

  Operand() : Operand(Dims{0}) {}
  explicit Operand(Dims d, idx gap = 0) : dims(d), stride(product(d, 1, d.rank) + gap) {
    const idx items = d.rank == 0 ? 1 : d[0];
    memory.assign(std::size_t(items == 0 ? 0 : (items - 1) * stride + product(d, 1, d.rank)), untouched);
  }
  static Operand of(Dims d, std::vector<float> values) {
    Operand x(d);
    REQUIRE(values.size() == x.memory.size());
    x.memory = std::move(values);
    return x;
  }
  static Operand random(Dims d, unsigned seed, idx gap = 0, float low = -1, float high = 1) {
    Operand x(d, gap);
    std::mt19937 generator(seed);
    std::uniform_real_distribution<float> draw(low, high);
    for (idx i = 0; i < x.size(); ++i) x[i] = draw(generator);
    return x;
  }
  idx size() const { return count(dims); }
  std::size_t place(idx i) const {
    const idx item = product(dims, 1, dims.rank);
    return std::size_t(item == 0 ? 0 : i / item * stride + i % item);
  }
  float& operator[](idx i) { return memory[place(i)]; }
  float operator[](idx i) const { return memory[place(i)]; }
  float at(idx a, idx b, idx c, idx d) const { return (*this)[((a * dims[1] + b) * dims[2] + c) * dims[3] + d]; }
  float& at(idx a, idx b, idx c, idx d) { return (*this)[((a * dims[1] + b) * dims[2] + c) * dims[3] + d]; }

  host::Input in() const { return {{memory.data(), dims, stride, Dtype::float32}}; }
  host::Output out() { return {{memory.data(), dims, stride, Dtype::float32}}; }
  bool gaps_untouched() const {
    const idx item = product(dims, 1, dims.rank);
    for (idx i = 0; i < idx(memory.size()); ++i)
      if (stride > 0 && i % stride >= item && memory[std::size_t(i)] != untouched) return false;
    return true;
  }
};

/// A float tensor [N, C, H, W] in blocks of channels; what is no element is NaN, or stays untouched between items.
struct BlockedOperand {
  Dims dims;
  Operand memory;  // [N, elements of an item]

  explicit BlockedOperand(const Dims& d, idx gap = 0)
      : dims(d), memory({d[0], item_elements(d, Layout::blocked)}, gap) {}
  explicit BlockedOperand(const Operand& x, idx gap = 0) : BlockedOperand(x.dims, gap) {
    for (idx i = 0; i < memory.size(); ++i) memory[i] = not_a_number;
    for (idx i = 0; i < x.size(); ++i) memory[place(i)] = x[i];
  }
  /// Where the element that is number i in row-major order lies.
  idx place(idx i) const {
    const idx area = dims[2] * dims[3], pixel = i % area, c = i / area % dims[1], n = i / area / dims[1];
    return n * memory.dims[1] + (c / channel_block * area + pixel) * channel_block + c % channel_block;
  }
  float operator[](idx i) const { return memory[place(i)]; }
  host::Input in() const { return {{memory.memory.data(), dims, memory.stride, Dtype::float32, Layout::blocked}}; }
  host::Output out() { return {{memory.memory.data(), dims, memory.stride, Dtype::float32, Layout::blocked}}; }
};

/// int64 targets.
struct Targets {
  Dims dims;
  std::vector<std::int64_t> memory;
  host::Input in() const { return {{memory.data(), dims, product(dims, 1, dims.rank), Dtype::int64}}; }
};

/// A call under construction. Parameters keep their slots; nullptr leaves one out.
struct Run {
  std::vector<host::Input> inputs;
  host::Call call{};
  host::Input residual{};
  CompileOptions options{.accuracy = Accuracy::exact};
  const Operand *factors = nullptr, *terms = nullptr;
  host::Method forced = host::Method::plain;  ///< of into_bfloat16: the method, plain for the one that is chosen

  explicit Run(std::vector<host::Input> in, std::vector<const Operand*> parameters = {}) : inputs(std::move(in)) {
    for (std::size_t i = 0; i < parameters.size(); ++i)
      if (parameters[i]) call.parameters[i] = parameters[i]->in();
  }
  Run(const Run&) = delete;
  Run& add(const Operand& r) {
    residual = r.in();
    call.epilogue.residual = &residual;
    return *this;
  }
  /// A batch norm behind a producer that multiplies channels by factors and adds terms.
  Run& norm(const Operand& f, const Operand& t) {
    factors = &f, terms = &t;
    return *this;
  }
  Run& with(Accuracy accuracy) {
    options.accuracy = accuracy;
    return *this;
  }
  /// Packs a producer's parameters and runs it; runs another operation with scratch of exactly the size that was asked
  /// for, filled with NaN.
  void into(const Operation& op, Operand& y);
  /// An operation that takes blocked tensors and needs no scratch.
  void into(const Operation& op, BlockedOperand& y);
  /// In bfloat16: operands of four dimensions are paired, or, if they are to stay planar, in the layout that the
  /// operation asks for, and what no channel fills is NaN.
  void into_bfloat16(const Operation& op, Operand& y, bool planar = false);
};

/// Largest |x - reference| over the largest |reference| (but at least `scale`); infinite if only one of two elements is
/// NaN or infinite.
template <class Values, class Reference>
double error_of(const Values& x, const Reference& reference, double scale = 1e-30) {
  double worst = 0;
  const idx n = count(x.dims);
  for (idx i = 0; i < n; ++i) {
    const double r = double(reference[std::size_t(i)]);
    if (std::isfinite(r)) scale = std::fmax(scale, std::fabs(r));
  }
  for (idx i = 0; i < n; ++i) {
    const double r = double(reference[std::size_t(i)]), v = double(x[i]);
    if (v == r || (std::isnan(v) && std::isnan(r))) continue;
    const double e = std::fabs(v - r) / scale;
    worst = std::isfinite(e) ? std::fmax(worst, e) : double(infinity);
  }
  return worst;
}

inline std::vector<double> values_of(const Operand& x) {
  std::vector<double> v;
  for (idx i = 0; i < x.size(); ++i) v.push_back(double(x[i]));
  return v;
}

inline double scalar_product(const Operand& a, const Operand& b) {
  double sum = 0;
  for (idx i = 0; i < a.size(); ++i) sum += double(a[i]) * double(b[i]);
  return sum;
}

}  // namespace backend_test
