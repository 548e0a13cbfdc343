/// The plan of a model on the CPU as a constant, and what follows from it: peak_memory.
#pragma once
#include "../backend/cpu/backend.hpp"
#include "../plan/plan_table.hpp"

namespace lamina::inline LAMINA_ISA {

/// The plan of `Net` for these inputs, made by the compiler.
template <class Net, CompileOptions Options, class... Spec>
using StaticPlan = planning::PlanFor<host::Backend, Net, Options, Spec...>;

/// Bytes of activations and scratch that a call of a compiled model holds at most at once, on one thread: the size of
/// its arena. Inputs, outputs and weights do not count.
template <class Net, class... Spec>
inline constexpr idx peak_memory =
    StaticPlan<Net, CompileOptions{}, Spec...>::table.memory.floats(1) * idx(sizeof(float));

/// Bytes of a compiled model's packed weights.
template <class Net, class... Spec>
inline constexpr idx packed_bytes = StaticPlan<Net, CompileOptions{}, Spec...>::table.packed * idx(sizeof(float));

}  // namespace lamina::inline LAMINA_ISA

namespace lamina::inline literals {
constexpr idx operator""_KiB(unsigned long long n) { return idx(n) << 10; }
constexpr idx operator""_MiB(unsigned long long n) { return idx(n) << 20; }
constexpr idx operator""_GiB(unsigned long long n) { return idx(n) << 30; }
}  // namespace lamina::inline literals
