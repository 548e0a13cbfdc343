/// Looks into weight files without a model: .pt, .pth and .pkl of PyTorch, and safetensors.
///   checkpoint list FILE    one line a tensor: name, dtype, shape, in the order of the file
///   checkpoint tree FILE    the modules of a model that was saved whole: classes, attributes, tensors
/// A file that is refused is told on standard error in one line, and the program ends with 2.
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <lamina/io/read.hpp>
#include <lamina/io/torch_structure.hpp>
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
      std::cout << indent << "  " << one_line(attribute.name) << " = " << one_line(attribute.value) << '\n';
    for (const io::ModuleTensor& tensor : module.tensors)
      std::cout << indent << "  " << one_line(tensor.name) << ": " << dtype_name(tensor.dtype) << ' '
                << shape_text(tensor.shape) << (tensor.parameter ? " parameter" : " buffer")
                << (tensor.saved ? "\n" : ", not saved in a state_dict\n");
  }
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

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : 2;
  } catch (const std::exception& problem) {
    std::cerr << "error: " << problem.what() << '\n';
    return 2;
  }
}
