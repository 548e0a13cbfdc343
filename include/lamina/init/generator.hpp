/// Random numbers as PyTorch's CPU generator draws them.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <random>
#include <type_traits>

namespace lamina {

/// The Mersenne Twister of torch.Generator on the CPU, with the same conversions to numbers, so that a seed gives
/// PyTorch's numbers: `Generator generator(0)` stands for `torch.manual_seed(0)`. Not for secrets; one thread at a
/// time.
class Generator {
  std::mt19937 engine;
  double next_normal = 0;  // Box and Muller's method gives two numbers; the second waits here
  bool has_next_normal = false;

 public:
  /// PyTorch's seed where none is set. The lower 32 bits count.
  static constexpr std::uint64_t default_seed = 67280421310721;
  explicit Generator(std::uint64_t seed = default_seed) : engine(std::mt19937::result_type(seed & 0xffffffffu)) {}

  /// Starts again. PyTorch: Generator.manual_seed.
  void manual_seed(std::uint64_t seed) { *this = Generator(seed); }

  std::uint32_t random() { return std::uint32_t(engine()); }
  /// Two draws, the upper half first.
  std::uint64_t random64() {
    const std::uint64_t upper = random();
    return (upper << 32) | random();
  }

  /// A number from `from` up to, but without, `to`: as many of a draw's lowest bits as T has digits, times to - from,
  /// plus from, rounded once, as PyTorch's build for AVX2 and later does it.
  template <class T> T uniform(T from = 0, T to = 1) {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "lamina: uniform draws float or double");
    constexpr int digits = std::numeric_limits<T>::digits;
    constexpr std::uint64_t range = std::uint64_t(1) << digits;
    const std::uint64_t drawn = (digits > 32 ? random64() : random()) & (range - 1);
    return std::fma(T(drawn) / T(range), to - from, from);
  }

  /// A normally distributed number, by Box and Muller's method in double precision.
  double normal(double mean = 0, double std = 1) {
    if (has_next_normal) {
      has_next_normal = false;
      return next_normal * std + mean;
    }
    const double u1 = uniform<double>(), u2 = uniform<double>();
    const double radius = std::sqrt(-2 * std::log1p(-u2)), angle = 2 * std::numbers::pi * u1;
    next_normal = radius * std::sin(angle);
    has_next_normal = true;
    return radius * std::cos(angle) * std + mean;
  }
};

}  // namespace lamina
