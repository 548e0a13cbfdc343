/// Looks into weight files without a model, converts and compares them: .pt, .pth and .pkl of PyTorch, and safetensors.
///   checkpoint list FILE    one line a tensor: name, dtype, shape, in the order of the file
///   checkpoint tree FILE    the modules of a model that was saved whole: classes, attributes, tensors
///   checkpoint convert IN OUT [--strip PREFIX] [--add PREFIX] [--dtype T]
///                           writes the tensors, and the plain values beside them, as safetensors if OUT ends so, or
///                           else as torch.save does; T is float64, float32, float16 or bfloat16
///   checkpoint diff A B     names that one file lacks, other shapes and dtypes, and the largest difference of a
///   tensor;
///                           nothing, and exit 0, if all are equal; exit 1 if not
/// A file that is refused is told on standard error in one line, and the program ends with 2.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <exception>
#include <iostream>
#include <lamina/io/checkpoint.hpp>
#include <lamina/io/save.hpp>
#include <lamina/io/torch_structure.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

using namespace lamina;

namespace {

// Names come from files: one that holds a line break must not look like two lines.
std::string one_line(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) text += c;
    else text += {'\\', 'x', "0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
  }
  return text;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

void list(const std::string& path) {
  for (const io::TensorRecord& tensor : io::read_state_dict(path))
    std::cout << one_line(tensor.name) << ' ' << dtype_name(tensor.dtype) << ' ' << shape_text(tensor.shape) << '\n';
}

void tree(const std::string& path) {
  for (const io::ModuleNode& module : io::read_module_tree(path)) {
    const std::string indent(2 * module.depth, ' ');
    std::cout << indent;
    if (module.depth > 0) std::cout << '(' << one_line(module.name) << "): ";
    std::cout << one_line(module.class_name) << " (" << one_line(module.class_module) << ")\n";
    for (const io::ModuleAttribute& attribute : module.attributes)
      std::cout << indent << "  " << (attribute.name.empty() ? "" : one_line(attribute.name) + " = ")
                << one_line(attribute.value) << '\n';
    for (const io::ModuleTensor& tensor : module.tensors)
      std::cout << indent << "  " << one_line(tensor.name) << ": " << dtype_name(tensor.dtype) << ' '
                << shape_text(tensor.shape) << (tensor.parameter ? " parameter" : " buffer")
                << (tensor.saved ? "\n" : ", not saved in a state_dict\n");
  }
}

// A prefix of names ends in a dot, which may be left out on the command line.
std::string with_dot(std::string prefix) {
  if (!prefix.empty() && !prefix.ends_with('.')) prefix += '.';
  return prefix;
}

std::optional<Dtype> dtype_named(const std::string& name) {
  if (name.empty()) return {};
  for (const Dtype dtype : {Dtype::float64, Dtype::float32, Dtype::float16, Dtype::bfloat16})
    if (dtype_name(dtype) == name) return dtype;
  throw parameter_error("--dtype is float64, float32, float16 or bfloat16, not " + one_line(name));
}

void convert(const std::string& from, const std::string& to, std::string strip, const std::string& add,
             const std::string& dtype) {
  io::Checkpoint file = io::read_checkpoint(from);
  if (strip = with_dot(std::move(strip)); !strip.empty()) {
    if (std::ranges::none_of(file.tensors, [&](const auto& tensor) { return tensor.name.starts_with(strip); }))
      throw checkpoint_error(from + ": no name begins with " + one_line(strip));
    file.tensors = io::replace_prefix(file.tensors, strip, "");
  }
  io::write(file.tensors, to,
            {.dtype = dtype_named(dtype), .add_prefix = with_dot(add), .values = std::move(file.values)});
}

// The elements in C order, as they are.
std::vector<std::byte> bytes_of(const io::TensorRecord& tensor) {
  std::vector<std::byte> bytes(std::size_t(tensor.numel()) * item_size(tensor.dtype));
  io::copy_elements(tensor, tensor.dtype, bytes.data());
  return bytes;
}
// The largest difference of two elements; NaN if one of them is none and the other is.
double largest_difference(const io::TensorRecord& a, const io::TensorRecord& b) {
  std::vector<double> x(std::size_t(a.numel())), y(x.size());
  io::copy_elements(a, Dtype::float64, x.data());
  io::copy_elements(b, Dtype::float64, y.data());
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
    const double difference = std::abs(x[i] - y[i]);
    if (!(difference <= largest)) largest = difference;
    if (std::isnan(largest)) break;
  }
  return largest;
}

// Whether the files are equal, in whatever order.
bool diff(const std::string& path_a, const std::string& path_b) {
  const io::StateDict a = io::read_state_dict(path_a), b = io::read_state_dict(path_b);
  bool equal = true;
  const auto tell = [&](std::string_view name, const std::string& what) {
    equal = false;
    std::cout << one_line(name) << ": " << what << '\n';
  };
  for (const io::TensorRecord& x : a) {
    const io::TensorRecord* const y = b.find(x.name);
    if (!y) {
      tell(x.name, "only in " + path_a);
      continue;
    }
    if (x.shape != y->shape) {
      tell(x.name, "shape " + shape_text(x.shape) + " and " + shape_text(y->shape));
      continue;
    }
    const bool same_dtype = x.dtype == y->dtype;
    if (same_dtype && bytes_of(x) == bytes_of(*y)) continue;
    std::ostringstream what;
    if (!same_dtype) what << "dtype " << dtype_name(x.dtype) << " and " << dtype_name(y->dtype) << ", ";
    what << "max difference " << largest_difference(x, *y);
    tell(x.name, what.str());
  }
  for (const io::TensorRecord& y : b)
    if (!a.find(y.name)) tell(y.name, "only in " + path_b);
  return equal;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Looks into weight files of PyTorch and safetensors.", "checkpoint");
  app.require_subcommand(1);
  std::string file;

  auto* const list_command = app.add_subcommand("list", "one line a tensor: name, dtype, shape");
  list_command->add_option("FILE", file)->required();
  list_command->callback([&] { list(file); });

  auto* const tree_command = app.add_subcommand("tree", "the modules of a model that was saved whole");
  tree_command->add_option("FILE", file)->required();
  tree_command->callback([&] { tree(file); });

  std::string other, strip, add, dtype;
  auto* const convert_command = app.add_subcommand("convert", "the tensors in another format, under other names");
  convert_command->add_option("IN", file)->required();
  convert_command->add_option("OUT", other)->required();
  convert_command->add_option("--strip", strip, "drop this prefix from the names that begin with it");
  convert_command->add_option("--add", add, "put this prefix before all names");
  convert_command->add_option("--dtype", dtype, "of floating-point tensors: float64, float32, float16, bfloat16");
  convert_command->callback([&] { convert(file, other, strip, add, dtype); });

  bool equal = true;
  auto* const diff_command = app.add_subcommand("diff", "names, shapes, dtypes and largest differences");
  diff_command->add_option("A", file)->required();
  diff_command->add_option("B", other)->required();
  diff_command->callback([&] { equal = diff(file, other); });

  try {
    app.parse(argc, argv);
    return equal ? 0 : 1;
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : 2;
  } catch (const std::exception& problem) {
    std::cerr << "error: " << problem.what() << '\n';
    return 2;
  }
}
