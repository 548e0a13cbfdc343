/// profile(engine, x): where the time of a compiled model goes, step by step.
#pragma once
#include "../backend/cpu/peak.hpp"
#include "../core/callback.hpp"
#include "../plan/arrange.hpp"
#include "compile.hpp"
#include "profile_svg.hpp"
#include "profile_table.hpp"

namespace lamina::inline LAMINA_ISA {

struct ProfileOptions {
  int calls = 20;  ///< that are timed, after two that are not
};

namespace execution {
/// The modules without children: only these compute.
struct CollectLeaves {
  std::vector<const void*>& addresses;
  std::vector<int>& numbers;  ///< among all modules, in the order of outline
  int modules = 0;
  template <class M> constexpr void operator()(const Path&, const M& module) {
    bool leaf = true;
    for_each_child(module, [&](std::string_view, const auto&) { leaf = false; });
    if (leaf) {
      addresses.push_back(&module);
      numbers.push_back(modules);
    }
    ++modules;
  }
};

/// For each step the number of the module that its operation belongs to, or -1.
template <class... Spec, class Net, class Steps>
constexpr void find_layers(const Net& net, const Dims (&dims)[sizeof...(Spec)], const Steps& steps, int* found) {
  Graph graph = record_graph<Spec...>(net, dims);
  planning::split_batch(graph);
  const planning::Arranged arranged = planning::arrange<cpu::Backend>(graph);
  std::vector<const void*> addresses;
  std::vector<int> numbers;
  for_each_module(net, CollectLeaves{addresses, numbers});
  std::size_t hint = 0;  // layers are called in almost the order of members, so a search goes on from the last hit
  for (const Step& step : steps) {
    const void* const layer = arranged.graph.nodes[std::size_t(step.node)].layer;
    *found = -1;
    for (std::size_t tried = 0; layer && tried < addresses.size() && *found < 0; ++tried)
      if (addresses[hint] == layer) *found = numbers[hint];
      else hint = hint + 1 == addresses.size() ? 0 : hint + 1;
    ++found;
  }
}

/// The same for a constant plan, in a constant expression too: values are numbered in the order in which a forward
/// evaluates the operands of `f(x) + g(x)`, which C++ leaves open, and which g++ chooses otherwise at run time.
template <class Net, CompileOptions Options, class... Spec>
inline constexpr auto static_layers = [] {
  constexpr const auto& table = StaticPlan<Net, Options, Spec...>::table;
  std::array<int, std::tuple_size_v<decltype(table.steps)>> layers{};
  const Net net{};
  const Dims dims[] = {input_spec<Spec>::shape_type::dims...};
  find_layers<Spec...>(net, dims, table.steps, layers.data());
  return layers;
}();

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
inline void measure(Profile& profile, int steps, const Callback<int>& run) {
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
  profile.peak_gflops = cpu::measure_peak(profile.threads);
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
      execution::find_layers<Spec...>(net, dims, std::span(program.steps, numbers.size()), numbers.data());
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
