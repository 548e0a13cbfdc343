/// Which classes and functions a pickle may name and which calls it may contain. Nothing is ever called: a call becomes
/// data.
#pragma once
#include "pickle_value.hpp"
#include <string_view>

namespace lamina::io::pickle {

/// What a permitted call turns into.
enum class Call : std::uint8_t {
  refused,
  dict,       // OrderedDict(), Counter(dict): a dict
  set,        // set(list): a set
  size,       // torch.Size(tuple): the tuple
  tensor,     // torch._utils._rebuild_tensor_v2(..): a tensor
  parameter,  // torch._utils._rebuild_parameter(tensor, ..): the tensor
  from_type,  // torch._tensor._rebuild_from_type_v2(function, type, arguments, state): that call
  plain,      // torch.device(..), complex(..), bytes: kept as it is
};

/// The calls that PyTorch's weight files contain (torch/_utils.py, torch/_weights_only_unpickler.py).
constexpr Call permitted_call(std::string_view module, std::string_view name) {
  const bool builtin = module == "__builtin__" || module == "builtins";
  if (module == "collections" && (name == "OrderedDict" || name == "Counter")) return Call::dict;
  if (builtin && name == "set") return Call::set;
  if (builtin && (name == "bytearray" || name == "complex")) return Call::plain;
  if (module == "_codecs" && name == "encode") return Call::plain;
  if (module == "torch" && name == "Size") return Call::size;
  if (module == "torch" && name == "device") return Call::plain;
  if (module == "torch._utils") {
    if (name == "_rebuild_tensor" || name == "_rebuild_tensor_v2" || name == "_rebuild_tensor_v3") return Call::tensor;
    if (name == "_rebuild_parameter" || name == "_rebuild_parameter_with_state") return Call::parameter;
  }
  if (module == "torch.nn.parameter" && name == "Parameter") return Call::parameter;
  if (module == "torch._tensor" && name == "_rebuild_from_type_v2") return Call::from_type;
  return Call::refused;
}

/// Whether a pickle may not even name this class or function: no weight file has a reason to mention the modules that
/// run programs, load code or look up other functions.
constexpr bool forbidden_global(std::string_view module, std::string_view name) {
  constexpr std::string_view modules[] = {
      "os",        "posix",   "nt",          "sys",       "subprocess", "builtins", "__builtin__",      "runpy",
      "importlib", "pickle",  "_pickle",     "cPickle",   "shutil",     "socket",   "multiprocessing",  "ctypes",
      "code",      "codeop",  "commands",    "pty",       "pdb",        "bdb",      "timeit",           "webbrowser",
      "asyncio",   "marshal", "imp",         "zipimport", "platform",   "tempfile", "_posixsubprocess", "_winapi",
      "pkgutil",   "dill",    "cloudpickle", "joblib",
  };
  if (permitted_call(module, name) != Call::refused) return false;
  const std::string_view package = module.substr(0, module.find('.'));
  for (const std::string_view forbidden : modules)
    if (package == forbidden) return true;
  return false;
}

}  // namespace lamina::io::pickle
