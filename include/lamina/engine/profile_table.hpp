/// A profile as a table.
#pragma once
#include "step_profile.hpp"
#include <algorithm>
#include <iosfwd>

namespace lamina::inline LAMINA_ISA {

namespace execution {
inline constexpr std::size_t profile_columns = 12;

inline std::string profile_text(const Profile& profile) {
  using Line = std::array<std::string, profile_columns>;
  const auto number = [](double value, int places) { return value > 0 ? decimals(value, places) : std::string("--"); };
  const int places = time_decimals(profile);
  double sum = 0;
  for (const StepProfile& step : profile.steps) sum += step.best_ms;

  std::vector<Line> lines{{"Step", "Layer", "Operation", "Method", "Output", "10^6 MACs", "Best ms", "Median ms",
                           "% of time", "GB/s", "GFLOP/s", "% of peak"}};
  for (const StepProfile& step : profile.steps) {
    Line& line = lines.emplace_back();
    line[0] = std::to_string(step.index);
    line[1] = step.path;
    line[2] = step.name;
    if (!step.fused.empty()) (line[2] += ", ") += step.fused;
    line[3] = step.method;
    line[4] = lamina::detail::text_of(step.output);
    line[5] = number(double(step.macs) * 1e-6, 1);
    line[6] = decimals(step.best_ms, places);
    line[7] = decimals(step.median_ms, places);
    line[8] = number(sum > 0 ? 100 * step.best_ms / sum : 0, 1);
    line[9] = number(step.gbytes_per_second(), 1);
    line[10] = number(step.gflops, 1);
    line[11] = number(step.peak_percent, 1);
  }
  Line& total = lines.emplace_back();
  total[0] = "Total";
  total[5] = number(double(profile.macs()) * 1e-6, 1);
  total[6] = decimals(profile.best_ms, places);
  total[7] = decimals(profile.median_ms, places);
  total[10] = number(profile.gflops(), 1);
  total[11] = number(profile.peak_percent(), 1);

  std::size_t widths[profile_columns]{};
  std::size_t all = 2 * (profile_columns - 1);
  for (std::size_t c = 0; c < profile_columns; ++c) {
    for (const Line& line : lines) widths[c] = std::max(widths[c], lamina::detail::characters(line[c]));
    all += widths[c];
  }
  const std::string rule(all, '=');
  std::string out = profile.model + ": " + std::to_string(profile.calls) + (profile.calls == 1 ? " call" : " calls") +
                    " on " + std::to_string(profile.threads) + (profile.threads == 1 ? " thread" : " threads") +
                    ", measured peak " + decimals(profile.peak_gflops, 1) + " GFLOP/s" +
                    describe_micro_batches(profile.micro_batches) +
                    "\nRates are those of the best time. GFLOP/s count two operations for every multiply-add "
                    "of direct sums: Winograd needs fewer and may pass the peak.\n" +
                    rule + '\n';
  for (const Line& line : lines) {
    if (&line == &lines.back()) out += rule + '\n';
    for (std::size_t c = 0; c < profile_columns; ++c) {
      const std::string filler(widths[c] - lamina::detail::characters(line[c]), ' ');
      const bool text = c > 0 && c < 5;  // numbers are aligned at the right
      out += text ? line[c] + filler : filler + line[c];
      if (c + 1 < profile_columns) out += "  ";
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}
}  // namespace execution

/// Prints one line a step, in the order in which they run, and a line of whole calls. Columns:
///   Method         how a convolution or linear layer is computed; of a copy, the layout it makes
///   MACs           multiply-adds of the definition
///   Best, Median   time of all calls; the total is that of whole calls
///   % of time      of the sum of all best times
///   GB/s           operands, packed weights and result in the best time: much where the step waits for memory
///   GFLOP/s        two operations a MAC in the best time
///   % of peak      of what multiply-adds on registers reach on as many threads
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const Profile& profile) {
  return out << execution::profile_text(profile);
}

}  // namespace lamina::inline LAMINA_ISA
