/// Safetensors files.
#pragma once
#include "../core/list.hpp"
#include "../reflect/python_text.hpp"
#include "element_bytes.hpp"
#include "output_file.hpp"
#include "safetensors.hpp"
#include "values.hpp"
#include "zip_writer.hpp"
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace lamina::io {

namespace detail {
class SafetensorsWriter {
  const StateDict& tensors_;
  const std::optional<Dtype> dtype_;
  OutputFile& file_;

 public:
  SafetensorsWriter(const StateDict& tensors, const std::optional<Dtype>& dtype, OutputFile& file)
      : tensors_(tensors), dtype_(dtype), file_(file) {}

  void write(const Values& values) {
    const lamina::detail::List<Turn> order = by_size_and_name();
    std::string header = R"({"__metadata__":{"format":"pt")";
    for (const Values::Entry& entry : values) {
      if (entry.name == "format") refuse(file_.path(), "", "a value is named \"format\", as the format is");
      string(header += ',', entry.name);
      string(header += ':', shown(entry.value));
    }
    header += '}';
    std::uint64_t at = 0;
    for (const auto& [size, tensor] : order) {
      if (tensor->name == "__metadata__") refuse(file_.path(), "", "a tensor is named \"__metadata__\"");
      string(header += ',', tensor->name);
      ((header += R"(:{"dtype":")") += dtype_of(*tensor)) += R"(","shape":[)";
      for (std::size_t i = 0; i < tensor->shape.size(); ++i)
        (header += i > 0 ? "," : "") += std::to_string(tensor->shape[i]);
      const std::uint64_t end = at + static_cast<std::uint64_t>(tensor->numel()) * size;
      header += text_of({R"(],"data_offsets":[)", at, ",", end, "]}"});
      at = end;
    }
    header += '}';
    header.append((8 - header.size() % 8) % 8, ' ');
    if (header.size() > 100000000)
      refuse(file_.path(), {}, {"the header would take ", header.size(), " bytes; 100000000 are the limit"});

    std::string length;
    append_little_endian(length, std::uint64_t(header.size()));
    file_.write(length);
    file_.write(header);
    std::vector<std::byte> buffer;
    for (const Turn& turn : order) file_.write(element_bytes(*turn.tensor, written(*turn.tensor), buffer));
  }

 private:
  Dtype written(const TensorRecord& tensor) const { return written_dtype(tensor.dtype, dtype_); }

  /// Larger elements come first, so that all are aligned; then by name, as the reference writer does.
  struct Turn {
    std::size_t item_size;
    const TensorRecord* tensor;

    static int compare(const void* a, const void* b) {
      const auto &x = *static_cast<const Turn*>(a), &y = *static_cast<const Turn*>(b);
      if (x.item_size != y.item_size) return x.item_size > y.item_size ? -1 : 1;
      return x.tensor->name.compare(y.tensor->name);
    }
  };
  /// C's qsort, as of byte ranges.
  lamina::detail::List<Turn> by_size_and_name() const {
    lamina::detail::List<Turn> order;
    for (const TensorRecord& tensor : tensors_) order.push_back({item_size(written(tensor)), &tensor});
    if (!order.empty()) std::qsort(order.data(), order.size(), sizeof(Turn), Turn::compare);
    return order;
  }

  std::string_view dtype_of(const TensorRecord& tensor) const {
    for (const auto& [name, dtype] : safetensors_dtypes)
      if (dtype == written(tensor)) return name;
    refuse(file_.path(), {"tensor ", quoted_name(tensor.name)},
           {"has the dtype ", dtype_name(tensor.dtype), ", which safetensors does not know"});
  }

  /// A JSON string (RFC 8259).
  void string(std::string& to, std::string_view text) const {
    if (!is_utf8(text))
      refuse(file_.path(), {}, {quoted_name(text), " is not UTF-8, which names and texts in a file are"});
    constexpr char digits[] = "0123456789abcdef";
    to += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') (to += '\\') += c;
      else if (static_cast<unsigned char>(c) < 0x20) ((to += "\\u00") += digits[c >> 4]) += digits[c & 15];
      else to += c;
    }
    to += '"';
  }
  static std::string shown(const Value& value) {
    if (const auto* const boolean = std::get_if<bool>(&value)) return *boolean ? "True" : "False";
    if (const auto* const integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
    if (const auto* const real = std::get_if<double>(&value)) {
      PythonText text;
      text << *real;
      return text.take();
    }
    return std::get<std::string>(value);
  }
};
}  // namespace detail

/// Writes tensors as the reference implementation writes a safetensors file (huggingface/safetensors, tensor.rs):
/// larger elements first, then by name, so the order of the names is not kept; tied tensors twice. Floating-point
/// tensors become `dtype` if that is given; values are text in the metadata.
inline void write_safetensors(OutputFile& file, const StateDict& tensors, const std::optional<Dtype>& dtype = {},
                              const Values& values = {}) {
  detail::SafetensorsWriter(tensors, dtype, file).write(values);
}

}  // namespace lamina::io
