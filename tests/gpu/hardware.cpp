/// What tests ask of the emulation, where devices are real: there is no list of what went wrong, nothing fails when it is
/// told to, and a test that needs that is skipped.
#include "emulation/emulation.hpp"
#include <catch2/catch_test_macros.hpp>

namespace emulation {
namespace {
void only_emulated() { SKIP("only emulated devices can do that"); }
}  // namespace

std::vector<std::string> faults() { return {}; }
std::vector<std::string> leaks() { return {}; }

std::size_t memory_used(int) { return only_emulated(), 0; }
long calls(const std::string&) { return only_emulated(), 0; }
void set_memory_limit(int, std::size_t) { only_emulated(); }
void fail_next(const std::string&, int, int) { only_emulated(); }

}  // namespace emulation
