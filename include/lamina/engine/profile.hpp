/// profile(engine, x): where the time of a compiled model goes, step by step.
#pragma once
#include "../backend/cpu/peak.hpp"
#include "../core/callback.hpp"
#include "compile.hpp"
#include "profile_svg.hpp"
#include "profile_table.hpp"
#include "step_layers.hpp"
#include <algorithm>

namespace lamina::inline LAMINA_ISA {

struct ProfileOptions {
  int calls = 20;  ///< that are timed, after two that are not
};

namespace execution {
/// The paths of modules by their numbers; empty for -1.
template <class Numbers>
std::vector<std::string> paths_of(const std::vector<OutlineRow>& outline, const Numbers& numbers) {
  std::vector<std::string> paths, at, chosen;  // `at`: of the modules from the root to the one at hand
  for (const OutlineRow& row : outline) {
    at.resize(std::size_t(row.depth));
    std::string path = row.depth > 1 ? at.back() + '.' : "";
    path += row.name;
    at.push_back(path);
    paths.push_back(std::move(path));
  }
  for (const int number : numbers) chosen.push_back(number < 0 ? "" : paths[std::size_t(number)]);
  return chosen;
}

/// The middle of the values; of an even number of them, the upper one.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Times the steps; run(i) runs step number i of the plan.
inline void measure(Profile& profile, int steps, const detail::Callback<int>& run) {
  constexpr int untimed = 2;
  const std::size_t calls = std::size_t(profile.calls);
  std::vector<double> whole(calls);
  std::vector<std::vector<double>> times(std::size_t(steps), whole);
  for (int call = -untimed; call < profile.calls; ++call) {
    const long long begin = threads::detail::nanoseconds();
    long long before = begin;
    for (int i = 0; i < steps; ++i) {
      run(i);
      const long long now = threads::detail::nanoseconds();
      if (call >= 0) times[std::size_t(i)][std::size_t(call)] = double(now - before) * 1e-6;
      before = now;
    }
    if (call >= 0) whole[std::size_t(call)] = double(before - begin) * 1e-6;
  }
  profile.peak_gflops = host::measure_peak(profile.threads);
  profile.best_ms = *std::min_element(whole.begin(), whole.end());
  profile.median_ms = median(std::move(whole));
  for (StepProfile& step : profile.steps) {
    std::vector<double>& own = times[std::size_t(step.index)];
    step.best_ms = *std::min_element(own.begin(), own.end());
    step.median_ms = median(std::move(own));
    if (step.best_ms > 0) step.gflops = 2e-6 * double(step.products) / step.best_ms;
    step.peak_percent = 100 * step.gflops / profile.peak_gflops;
  }
}
}  // namespace execution

/// Calls a compiled model with x... and times every step of every call:
///   std::cout << profile(engine, x);                  // a table
///   file << to_svg(profile(engine, {.calls = 100}, x));   // a picture
/// It takes the time of these calls and 20 ms in which it measures the peak. GFLOP/s count two operations for every
/// multiply-add of direct sums, so that Winograd may pass the peak. Best times say what the kernels can do; where the
/// median is far above, other programs ran meanwhile.
template <class Net, CompileOptions Options, class... Spec, class... X>
  requires(sizeof...(X) == sizeof...(Spec))
Profile profile(const Engine<Net, Options, Spec...>& engine, const ProfileOptions& options, const X&... x) {
  if (options.calls < 1)
    throw parameter_error("profile: " + std::to_string(options.calls) + " calls; the number of calls is 1 or more");
  Profile result{.model = std::string(module_name<Net>()), .threads = num_threads(), .calls = options.calls};
  const auto take = [&](const Net& net, const execution::Program& program, const auto& run) {
    std::vector<std::string> layers;
    if constexpr ((is_static(input_spec<Spec>::shape_type::dims) && ...)) {
      layers = execution::paths_of(outline(net), execution::static_layers<Net, Options, Spec...>);
    } else {
      std::vector<int> numbers(std::size_t(program.count));
      const Dims dims[] = {x.dims()...};
      execution::find_layers<Options, Spec...>(net, dims, std::span(program.steps, numbers.size()), numbers.data());
      layers = execution::paths_of(outline(net), numbers);
    }
    result.micro_batches = program.memory.micro_batches;
    result.steps = execution::describe(program, layers);
    execution::measure(result, program.count, run);
  };
  engine.step_through(take, x...);
  return result;
}
template <class Net, CompileOptions Options, class... Spec, class... X>
  requires(sizeof...(X) == sizeof...(Spec))
Profile profile(const Engine<Net, Options, Spec...>& engine, const X&... x) {
  return profile(engine, ProfileOptions{}, x...);
}

}  // namespace lamina::inline LAMINA_ISA
