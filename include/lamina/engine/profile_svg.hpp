/// A profile as a picture.
#pragma once
#include "step_profile.hpp"
#include <algorithm>

namespace lamina::inline LAMINA_ISA {

namespace execution {
/// The colours of the picture, by kind of operation: those of Okabe and Ito, which colour-blind people tell apart.
struct ProfileKind {
  const char *name, *colour;
  std::uint64_t operations;
};
template <class... Op> inline constexpr std::uint64_t mask_of = (host::bit_of<Op> | ...);
inline constexpr ProfileKind profile_kinds[] = {
    {"convolution", "#0072b2", mask_of<ops::Conv2d>},
    {"transposed convolution", "#56b4e9", mask_of<ops::ConvTranspose2d>},
    {"matrix product", "#d55e00", mask_of<ops::Linear, ops::Matmul>},
    {"normalisation", "#f0e442", mask_of<ops::BatchNorm, ops::LayerNorm, ops::GroupNorm, ops::Softmax>},
    {"pooling", "#009e73", mask_of<ops::MaxPool2d, ops::AvgPool2d, ops::AdaptiveAvgPool2d>},
    {"element by element", "#cc79a7", mask_of<ops::Activation, ops::Binary>},
    {"copying and resizing", "#888888", mask_of<ops::Copy, ops::Cat, ops::Pad, ops::PadTo, ops::Upsample>},
    {"other", "#e69f00", ~std::uint64_t(0)},
};
inline std::size_t kind_of(const Operation& operation) {
  std::size_t kind = 0;
  while ((profile_kinds[kind].operations >> operation.index() & 1) == 0) ++kind;
  return kind;
}

/// Writes elements of SVG.
class SvgWriter {
  std::string out;

  void add_attribute(std::string_view name, double value) {
    ((out += ' ') += name) += "=\"";
    const std::string text = decimals(value, 1);
    out += text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
    out += '"';
  }

 public:
  std::string take() { return std::move(out); }
  /// Markup as it is.
  void add(std::string_view markup) { out += markup; }
  /// Text with what XML reserves written out. Control characters, which XML does not know, become question marks.
  void add_text(std::string_view text) {
    for (const char c : text) {
      if (c == '&') out += "&amp;";
      else if (c == '<') out += "&lt;";
      else if (c == '>') out += "&gt;";
      else if (c == '"') out += "&quot;";
      else if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') out += '?';
      else out += c;
    }
  }
  void box(double x, double y, double width, double height, std::string_view attributes) {
    out += "<rect";
    add_attribute("x", x), add_attribute("y", y), add_attribute("width", width), add_attribute("height", height);
    ((out += ' ') += attributes) += "/>\n";
  }
  void line(double x1, double y1, double x2, double y2) {
    out += "<line";
    add_attribute("x1", x1), add_attribute("y1", y1), add_attribute("x2", x2), add_attribute("y2", y2);
    out += " stroke=\"#dddddd\"/>\n";
  }
  void label(double x, double y, std::string_view text, std::string_view attributes = {}) {
    out += "<text";
    add_attribute("x", x), add_attribute("y", y);
    if (!attributes.empty()) (out += ' ') += attributes;
    out += '>';
    add_text(text);
    out += "</text>\n";
  }
  void title(std::string_view text) {
    out += "<title>";
    add_text(text);
    out += "</title>\n";
  }
};

/// A round number (1, 2 or 5 times a power of ten) of which some five to eight make up `largest`.
inline double axis_step(double largest) {
  double step = 1e-6;
  for (int i = 0; step * 8 < largest; ++i) step *= i % 3 == 1 ? 2.5 : 2;
  return step;
}
}  // namespace execution

/// The profile as an SVG document: a bar a step from the top down, as long as its best time, coloured by the kind of
/// operation. The dark part of a bar is the time that its direct sums would take at the measured peak; it is all of the
/// bar where Winograd passes the peak. A viewer that shows titles says more about the bar under the pointer.
inline std::string to_svg(const Profile& profile) {
  // Labels are monospaced, so that their width is known: a character of size 11 is 6.6 wide.
  constexpr double character = 6.7, row = 18, bar = 12, top = 98, margin = 12, gap = 14, bars = 440;
  const int places = execution::time_decimals(profile);
  const auto milliseconds = [&](double ms) { return execution::decimals(ms, places) + " ms"; };
  const auto percent = [](double share) { return share > 0 ? execution::decimals(share, 0) + '%' : std::string(); };

  double longest = 0;
  std::size_t path_width = 0, name_width = 0, value_width = 0;
  std::vector<std::string> values;
  bool present[std::size(execution::profile_kinds)]{};
  for (const StepProfile& step : profile.steps) {
    longest = std::max(longest, step.best_ms);
    std::string& value = values.emplace_back(milliseconds(step.best_ms));
    for (const std::string& more : {percent(step.peak_percent), step.method})
      if (!more.empty()) (value += " · ") += more;
    path_width = std::max(path_width, lamina::detail::characters(step.path));
    name_width = std::max(name_width, lamina::detail::characters(step.name));
    value_width = std::max(value_width, lamina::detail::characters(value));
    present[execution::kind_of(step.operation)] = true;
  }
  const double names = margin + double(path_width) * character + (path_width > 0 ? gap : 0);
  const double left = names + double(name_width) * character + gap;
  const double width = std::max(left + bars + 8 + double(value_width) * character + margin, 800.);
  const double bottom = top + row * double(profile.steps.size()), height = bottom + 34;
  const double scale = longest > 0 ? bars / longest : 0;
  const auto size = [](double n) { return execution::decimals(n, 0); };

  execution::SvgWriter svg;
  svg.add("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + size(width) + "\" height=\"" + size(height) +
          "\" viewBox=\"0 0 " + size(width) + ' ' + size(height) +
          "\" font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"11\" fill=\"#222222\">\n");
  svg.title("Profile of " + profile.model);
  svg.box(0, 0, width, height, "fill=\"#ffffff\"");
  svg.label(margin, 22,
            profile.model + ": " + milliseconds(profile.best_ms) + " a call, " +
                execution::decimals(profile.gflops(), 1) + " GFLOP/s, " + percent(profile.peak_percent()) +
                " of the peak",
            "font-size=\"14\" font-weight=\"bold\"");
  svg.label(margin, 40,
            std::to_string(profile.threads) + (profile.threads == 1 ? " thread" : " threads") + ", best of " +
                std::to_string(profile.calls) + (profile.calls == 1 ? " call" : " calls") + "; measured peak " +
                execution::decimals(profile.peak_gflops, 1) + " GFLOP/s" +
                execution::describe_micro_batches(profile.micro_batches));
  svg.label(margin, 56,
            "Dark, and in %: the time that direct sums take at the peak. Winograd needs fewer multiply-adds and may "
            "pass 100%.");
  double x = margin;
  for (std::size_t kind = 0; kind < std::size(present); ++kind) {
    if (!present[kind]) continue;
    const execution::ProfileKind& k = execution::profile_kinds[kind];
    svg.box(x, 67, 10, 10, "fill=\"" + std::string(k.colour) + '"');
    svg.label(x + 15, 76, k.name);
    x += 15 + double(std::string_view(k.name).size()) * character + gap;
  }

  if (longest > 0) {
    const double step = execution::axis_step(longest);
    int tick_places = 0;
    for (double unit = 1; unit > step * 1.5; unit /= 10) ++tick_places;
    for (int i = 0; i * step <= longest; ++i) {
      const double at = left + i * step * scale;
      svg.line(at, top - 4, at, bottom + 4);
      svg.label(at, bottom + 18, execution::decimals(i * step, tick_places) + (i == 0 ? " ms" : ""),
                "text-anchor=\"middle\"");
    }
  }
  for (std::size_t i = 0; i < profile.steps.size(); ++i) {
    const StepProfile& step = profile.steps[i];
    const double y = top + row * double(i), length = step.best_ms * scale, text = y + bar - 2;
    const std::string fill =
        "fill=\"" + std::string(execution::profile_kinds[execution::kind_of(step.operation)].colour);
    std::string extents;
    for (const Dims& dims : step.inputs) (extents += extents.empty() ? "" : " ") += lamina::detail::text_of(dims);
    svg.add("<g>\n");
    svg.title(std::to_string(step.index) + ' ' + (step.path.empty() ? "" : step.path + ' ') + step.name +
              (step.fused.empty() ? "" : ", " + step.fused) + ": " + extents + " -> " +
              lamina::detail::text_of(step.output) + ", " + lamina::detail::with_commas(step.macs) + " MACs, best " +
              milliseconds(step.best_ms) + ", median " + milliseconds(step.median_ms) + ", " +
              execution::decimals(step.gflops, 1) + " GFLOP/s, " + execution::decimals(step.gbytes_per_second(), 1) +
              " GB/s");
    svg.label(margin, text, step.path);
    svg.label(names, text, step.name);
    svg.box(left, y, length, bar, "class=\"step\" fill-opacity=\"0.4\" " + fill + '"');
    if (step.peak_percent > 0) svg.box(left, y, length * std::min(step.peak_percent / 100, 1.), bar, fill + '"');
    svg.label(left + length + 8, text, values[i]);
    svg.add("</g>\n");
  }
  svg.add("</svg>\n");
  return svg.take();
}

}  // namespace lamina::inline LAMINA_ISA
