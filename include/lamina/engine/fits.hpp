/// Budgets: limits of what a model may cost, which the compiler holds it to.
#pragma once
#include "../meta/counts.hpp"
#include "../reflect/keys.hpp"
#include "step_layers.hpp"

namespace lamina {

/// Limits that a model keeps; those that are not given do not count.
struct budget {
  static constexpr idx unlimited = PTRDIFF_MAX;
  idx parameters = unlimited;   ///< elements: parameter_count
  idx macs = unlimited;         ///< multiply-accumulates of a forward
  idx activations = unlimited;  ///< bytes of all values of a forward: activation_bytes
  idx memory = unlimited;       ///< bytes of a compiled model's arena: peak_memory
  idx weights = unlimited;      ///< bytes of a compiled model's packed weights: packed_bytes
  friend constexpr bool operator==(const budget&, const budget&) = default;
};

namespace detail {
/// A module and how much it has of something.
struct Contributor {
  int row = -1;
  idx amount = 0;
};
/// The module that has most of something by itself, without those below it.
constexpr Contributor largest_contributor(const auto& rows, auto amount_of) {
  Contributor most;
  for (int row = 0; row < int(rows.size()); ++row) {
    idx own = amount_of(row);
    for (int child = row + 1; child < rows[std::size_t(row)].end; child = rows[std::size_t(child)].end)
      own -= amount_of(child);
    if (own > most.amount) most = {row, own};
  }
  return most;
}
constexpr Text over_budget(const auto& rows, std::string_view what, idx amount, idx limit, const Contributor& most) {
  Text text;
  text << "over budget by " << amount - limit << ": " << what << " are " << amount << ", the limit is " << limit
       << "; the most, " << most.amount << ", are in ";
  if (most.row < 0) text << "functions and copies";
  else if (most.row == 0) text << rows[0].class_name << " itself";
  else append_path(text, rows, most.row);
  return text;
}
}  // namespace detail

inline namespace LAMINA_ISA {
namespace execution {
/// The layer whose result or working memory takes most of the arena; -1 for functions, and for copies that change the
/// layout.
template <class Net, class... Spec> constexpr lamina::detail::Contributor largest_buffer() {
  lamina::detail::Contributor most;
  const auto& table = StaticPlan<Net, CompileOptions{}, Spec...>::table;
  for (std::size_t i = 0; i < table.steps.size(); ++i) {
    const planning::Step& step = table.steps[i];
    const planning::Place* const operands = table.operands.data() + step.first_operand;
    const idx out = step.out.source == planning::Source::arena ? elements(step.out.dims, step.out.layout) : 0;
    const auto scratch =
        host::Backend::scratch_of(step.operation, step.operands > 0 ? operands[0].dims : Dims{},
                                  step.operands > 1 ? operands[1].dims : Dims{}, host::Method(step.method));
    const idx working = scratch.shared + scratch.each, bytes = (out > working ? out : working) * idx(sizeof(float));
    if (bytes > most.amount || (bytes == most.amount && most.row < 0))
      most = {static_layers<Net, CompileOptions{}, Spec...>[i], bytes};
  }
  return most;
}

template <class Net, budget Limits, class... Spec> constexpr bool keeps_budget() {
  constexpr const auto& rows = module_table<Net>.modules;
  // Each limit costs the compiler only what finding its number costs, and a contributor only where a limit is passed.
  constexpr bool parameters = Limits.parameters == budget::unlimited || parameter_count<Net> <= Limits.parameters;
  if constexpr (!parameters) {
    constexpr auto most = lamina::detail::largest_contributor(rows, [](int row) {
      idx sum = 0;
      for (int i = row; i < module_table<Net>.modules[std::size_t(row)].end; ++i)
        sum += module_table<Net>.modules[std::size_t(i)].parameters;
      return sum;
    });
    fail<lamina::detail::over_budget(rows, "parameters", parameter_count<Net>, Limits.parameters, most)>();
  }
  bool fits = parameters;
  if constexpr (Limits.macs != budget::unlimited) {
    constexpr bool kept = macs<Net, Spec...> <= Limits.macs;
    if constexpr (!kept) {
      constexpr auto most = lamina::detail::largest_contributor(
          rows, [](int row) { return lamina::detail::cost_table<Net, Spec...>[std::size_t(row)].macs; });
      fail<lamina::detail::over_budget(rows, "multiply-accumulates", macs<Net, Spec...>, Limits.macs, most)>();
    }
    fits = fits && kept;
  }
  if constexpr (Limits.activations != budget::unlimited) {
    constexpr bool kept = activation_bytes<Net, Spec...> <= Limits.activations;
    if constexpr (!kept) {
      constexpr auto most = lamina::detail::largest_contributor(
          rows, [](int row) { return lamina::detail::cost_table<Net, Spec...>[std::size_t(row)].activation_bytes; });
      fail<lamina::detail::over_budget(rows, "bytes of activations", activation_bytes<Net, Spec...>, Limits.activations,
                                       most)>();
    }
    fits = fits && kept;
  }
  if constexpr (Limits.memory != budget::unlimited) {
    constexpr bool kept = peak_memory<Net, Spec...> <= Limits.memory;
    if constexpr (!kept)
      fail<lamina::detail::over_budget(rows, "bytes of peak memory", peak_memory<Net, Spec...>, Limits.memory,
                                       largest_buffer<Net, Spec...>())>();
    fits = fits && kept;
  }
  if constexpr (Limits.weights != budget::unlimited) {
    constexpr bool kept = packed_bytes<Net, Spec...> <= Limits.weights;
    if constexpr (!kept) {
      constexpr lamina::detail::Contributor most = [] {
        const auto& steps = StaticPlan<Net, CompileOptions{}, Spec...>::table.steps;
        lamina::detail::Contributor largest;
        for (std::size_t i = 0; i < steps.size(); ++i)
          if (const idx bytes = steps[i].weight_floats * idx(sizeof(float)); bytes > largest.amount)
            largest = {static_layers<Net, CompileOptions{}, Spec...>[i], bytes};
        return largest;
      }();
      fail<lamina::detail::over_budget(rows, "bytes of packed weights", packed_bytes<Net, Spec...>, Limits.weights,
                                       most)>();
    }
    fits = fits && kept;
  }
  return fits;
}
}  // namespace execution

/// True if a model for these inputs keeps all limits. If not, compilation stops with a sentence for each limit that is
/// passed: by how much, both numbers, and the layer that has most of it.
///   static_assert(fits<ResNet50, budget{.parameters = 26'000'000, .macs = 4'100'000'000, .memory = 16_MiB},
///                      Shape<1, 3, 224, 224>>);
template <class Net, budget Limits, class... Spec>
inline constexpr bool fits = execution::keeps_budget<Net, Limits, Spec...>();
}  // namespace LAMINA_ISA

}  // namespace lamina
