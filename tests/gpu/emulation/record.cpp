/// Operation graphs as text: for the record that is replayed on the real cuDNN, and inside the text of a plan.
///
/// A graph is the line `graph HASH ANSWER`, its descriptors, the last of which is the operation graph, and the line
/// `end`. ANSWER is `taken` if there is an engine for it, `refused` if not:
///   descriptor TYPE ATTRIBUTES
///   attribute NAME TYPE COUNT VALUE...
/// All are numbers: TYPE and NAME those of cudnn.h, values of enumerations and integers in decimal, floating-point
/// numbers with as many digits as they need, a fraction as two numbers, a descriptor as its place in the graph, from 0.
/// Handles are left out.
#include "descriptor.hpp"
#include "module.hpp"
#include "state.hpp"
#include <fcntl.h>
#include <fstream>
#include <set>
#include <sstream>
#include <unistd.h>

namespace emulation {
namespace {

template <class T> void write_values(std::ostringstream& text, const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    text << ' ' << value;
  }
}

template <class T> bool read_value(std::istringstream& text, std::string& bytes) {
  T value{};
  text >> value;
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  return bool(text);
}

void write_attribute(std::ostringstream& text, const Attribute& attribute) {
  switch (attribute.type) {
  case CUDNN_TYPE_FLOAT: text.precision(9); return write_values<float>(text, attribute.bytes);
  case CUDNN_TYPE_DOUBLE: text.precision(17); return write_values<double>(text, attribute.bytes);
  case CUDNN_TYPE_INT64:
  case CUDNN_TYPE_FRACTION: return write_values<std::int64_t>(text, attribute.bytes);
  case CUDNN_TYPE_BOOLEAN:
    for (const char byte : attribute.bytes) text << ' ' << int(byte);
    return;
  default: return write_values<std::int32_t>(text, attribute.bytes);
  }
}

bool read_attribute(std::istringstream& text, Attribute& attribute) {
  const std::int64_t numbers = attribute.count * (attribute.type == CUDNN_TYPE_FRACTION ? 2 : 1);
  for (std::int64_t i = 0; i < numbers; ++i) {
    bool read = false;
    switch (attribute.type) {
    case CUDNN_TYPE_FLOAT: read = read_value<float>(text, attribute.bytes); break;
    case CUDNN_TYPE_DOUBLE: read = read_value<double>(text, attribute.bytes); break;
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_FRACTION: read = read_value<std::int64_t>(text, attribute.bytes); break;
    case CUDNN_TYPE_BOOLEAN: {
      int value = 0;
      read = bool(text >> value);
      attribute.bytes.push_back(char(value));
      break;
    }
    default: read = read_value<std::int32_t>(text, attribute.bytes);
    }
    if (!read) return false;
  }
  return true;
}

/// Writes a descriptor behind those it refers to; its place.
std::size_t write(std::ostringstream& text, const Descriptor& descriptor,
                  std::map<const Descriptor*, std::size_t>& places) {
  if (const auto known = places.find(&descriptor); known != places.end()) return known->second;
  std::size_t attributes = 0;
  for (const auto& [name, attribute] : descriptor.attributes) {
    attributes += attribute.type != CUDNN_TYPE_HANDLE;
    for (const auto& child : attribute.children) write(text, *child, places);
  }
  text << "descriptor " << descriptor.type << ' ' << attributes << '\n';
  for (const auto& [name, attribute] : descriptor.attributes) {
    if (attribute.type == CUDNN_TYPE_HANDLE) continue;
    text << "attribute " << name << ' ' << attribute.type << ' ' << attribute.count;
    for (const auto& child : attribute.children) text << ' ' << places.at(child.get());
    if (attribute.children.empty()) write_attribute(text, attribute);
    text << '\n';
  }
  const std::size_t place = places.size();
  return places[&descriptor] = place;
}

}  // namespace

std::string text_of(const Descriptor& graph) {
  std::ostringstream text;
  std::map<const Descriptor*, std::size_t> places;
  write(text, graph, places);
  return text.str();
}

std::shared_ptr<Descriptor> graph_from(const std::string& whole) {
  std::istringstream text(whole);
  std::vector<std::shared_ptr<Descriptor>> all;
  std::string word;
  while (text >> word) {
    int type = 0;
    std::size_t attributes = 0;
    if (word != "descriptor" || !(text >> type >> attributes)) return nullptr;
    all.push_back(std::make_shared<Descriptor>(cudnnBackendDescriptorType_t(type)));
    for (; attributes > 0; --attributes) {
      int name = 0, value_type = 0;
      Attribute attribute{};
      if (!(text >> word >> name >> value_type >> attribute.count) || word != "attribute") return nullptr;
      attribute.type = cudnnBackendAttributeType_t(value_type);
      if (attribute.type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
        for (std::int64_t i = 0; i < attribute.count; ++i) {
          std::size_t place = 0;
          if (!(text >> place) || place + 1 >= all.size()) return nullptr;
          attribute.children.push_back(all[place]);
        }
      } else if (!read_attribute(text, attribute)) {
        return nullptr;
      }
      all.back()->attributes[name] = std::move(attribute);
    }
    all.back()->finalized = true;
  }
  return all.empty() ? nullptr : all.back();
}

void record_graph(const Descriptor& graph, bool taken) {
  const std::string& file = state().graph_record;
  if (file.empty()) return;
  static std::map<std::string, std::set<std::string>> recorded;
  auto [known, is_new] = recorded.try_emplace(file);
  if (is_new) {
    std::ifstream before(file);
    for (std::string line; std::getline(before, line);)
      if (line.rfind("graph ", 0) == 0) known->second.insert(line.substr(6));
  }
  const std::string text = text_of(graph), title = hash_of(text) + (taken ? " taken" : " refused");
  if (!known->second.insert(title).second) return;
  const std::string entry = "graph " + title + "\n" + text + "end\n";
  const int out = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (out < 0 || ::write(out, entry.data(), entry.size()) != ssize_t(entry.size()))
    fault("cannot record a graph in " + file);
  if (out >= 0) close(out);
}

}  // namespace emulation
