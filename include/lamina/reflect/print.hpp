/// What PyTorch's print(net) shows, byte for byte.
#pragma once
#include "outline.hpp"
#include <iosfwd>

namespace lamina {

namespace detail {
/// Appends text whose further lines are indented.
inline void append_indented(std::string& out, std::string_view text, int indent) {
  for (char c : text) {
    out += c;
    if (c == '\n') out.append(std::size_t(indent), ' ');
  }
}
inline void append_number(std::string& out, int n) { out += (PythonText() << n).view(); }

inline void append_repr(std::string& out, const std::vector<OutlineRow>& rows, int row, int indent);

/// The text of the child at `row`, and where its next sibling begins.
struct ChildText {
  std::string text;
  int next;
};
inline ChildText child_text(const std::vector<OutlineRow>& rows, int row, int indent) {
  ChildText child{{}, rows[std::size_t(row)].end};
  append_repr(child.text, rows, row, indent);
  return child;
}

/// torch.nn.ModuleList.__repr__: neighbours with equal text are shown once, with their range and number.
inline void append_merged_children(std::string& out, const std::vector<OutlineRow>& rows, int row, int indent) {
  const std::string line = "\n" + std::string(std::size_t(indent), ' ');
  int position = 0;
  for (int at = row + 1; at < rows[std::size_t(row)].end;) {
    const ChildText first = child_text(rows, at, indent);
    int count = 1;
    for (at = first.next; at < rows[std::size_t(row)].end; ++count) {
      const ChildText other = child_text(rows, at, indent);
      if (other.text != first.text) break;
      at = other.next;
    }
    out += line + '(';
    append_number(out, position);
    if (count > 1) {
      out += '-';
      append_number(out, position + count - 1);
      out += "): ";
      append_number(out, count);
      out += " x ";
    } else out += "): ";
    out += first.text;
    position += count;
  }
}

/// torch.nn.Module.__repr__. `indent` is that of the line on which the text begins.
inline void append_repr(std::string& out, const std::vector<OutlineRow>& rows, int row, int indent) {
  const OutlineRow& module = rows[std::size_t(row)];
  const bool has_children = module.end > row + 1;
  out += module.class_name;
  out += '(';
  if (!has_children && module.own_text.find('\n') == std::string::npos) {
    out += module.own_text;
    out += ')';
    return;
  }
  const int inner = indent + 2;
  const std::string line = "\n" + std::string(std::size_t(inner), ' ');
  if (!module.own_text.empty()) {
    out += line;
    append_indented(out, module.own_text, inner);
  }
  if (module.merges_equals) append_merged_children(out, rows, row, inner);
  else
    for (int at = row + 1; at < module.end; at = rows[std::size_t(at)].end) {
      out += line + '(';
      out += rows[std::size_t(at)].name;
      out += "): ";
      append_repr(out, rows, at, inner);
    }
  out += '\n';
  out.append(std::size_t(indent), ' ');
  out += ')';
}

inline std::string repr(const std::vector<OutlineRow>& rows) {
  std::string text;
  append_repr(text, rows, 0, 0);
  return text;
}

inline std::string named_modules_text(const std::vector<OutlineRow>& rows) {
  std::string out, path;
  std::vector<std::size_t> path_size;  // of the module last seen at each depth
  for (int row = 0; row < int(rows.size()); ++row) {
    const OutlineRow& module = rows[std::size_t(row)];
    path_size.resize(std::size_t(module.depth));
    path.resize(path_size.empty() ? 0 : path_size.back());
    if (!path.empty()) path += '.';
    path += module.name;
    path_size.push_back(path.size());
    if (module.again) continue;
    // Python's repr of a text chooses the quotation mark that it does not hold.
    const char quote = path.find('\'') != std::string::npos && path.find('"') == std::string::npos ? '"' : '\'';
    (((out += '(') += quote) += path) += quote;
    out += ", ";
    append_repr(out, rows, row, 0);
    out += ")\n";
  }
  return out;
}
}  // namespace detail

/// The text that PyTorch's print(net) shows, without a line end behind it. Classes appear under their own names,
/// children under those of the members; numbers are written as Python writes them.
template <module M> std::string to_string(const M& net) { return detail::repr(outline(net, Names::all)); }

/// Writes to_string(net). Layers and containers print wherever `<<` is written. A class of yours lives in a namespace
/// of yours, so say `using namespace lamina;` or `using lamina::operator<<;` there, or print lamina::to_string(net).
template <class Traits, module M>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const M& net) {
  return out << std::string_view(to_string(net));
}

/// Writes what Python's `for item in net.named_modules(): print(item)` shows: one pair of path and text a module, the
/// net first.
template <class Out, module M> void print_named_modules(Out& out, const M& net) {
  out << std::string_view(detail::named_modules_text(outline(net, Names::all)));
}

}  // namespace lamina
