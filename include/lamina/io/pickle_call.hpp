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

struct NamedCall {
  std::string_view module, name;
  Call call;
};
/// The calls that PyTorch's weight files contain (torch/_utils.py, torch/_weights_only_unpickler.py).
inline constexpr NamedCall permitted_calls[] = {
    {"collections", "OrderedDict", Call::dict},
    {"collections", "Counter", Call::dict},
    {"__builtin__", "set", Call::set},
    {"builtins", "set", Call::set},
    {"__builtin__", "bytearray", Call::plain},
    {"builtins", "bytearray", Call::plain},
    {"__builtin__", "complex", Call::plain},
    {"builtins", "complex", Call::plain},
    {"_codecs", "encode", Call::plain},
    {"torch", "Size", Call::size},
    {"torch", "device", Call::plain},
    {"torch._utils", "_rebuild_tensor", Call::tensor},
    {"torch._utils", "_rebuild_tensor_v2", Call::tensor},
    {"torch._utils", "_rebuild_tensor_v3", Call::tensor},
    {"torch._utils", "_rebuild_parameter", Call::parameter},
    {"torch._utils", "_rebuild_parameter_with_state", Call::parameter},
    {"torch.nn.parameter", "Parameter", Call::parameter},
    {"torch._tensor", "_rebuild_from_type_v2", Call::from_type},
};
constexpr Call permitted_call(std::string_view module, std::string_view name) {
  for (const NamedCall& known : permitted_calls)
    if (known.module == module && known.name == name) return known.call;
  return Call::refused;
}

/// Modules that run programs, load code or look up other functions: no weight file has a reason to mention them.
inline constexpr std::string_view forbidden_modules[] = {
    "os",        "posix",   "nt",          "sys",       "subprocess", "builtins", "__builtin__",      "runpy",
    "importlib", "pickle",  "_pickle",     "cPickle",   "shutil",     "socket",   "multiprocessing",  "ctypes",
    "code",      "codeop",  "commands",    "pty",       "pdb",        "bdb",      "timeit",           "webbrowser",
    "asyncio",   "marshal", "imp",         "zipimport", "platform",   "tempfile", "_posixsubprocess", "_winapi",
    "pkgutil",   "dill",    "cloudpickle", "joblib",
};
/// Whether a pickle may not even name this class or function.
constexpr bool forbidden_global(std::string_view module, std::string_view name) {
  if (permitted_call(module, name) != Call::refused) return false;
  const std::string_view package = module.substr(0, module.find('.'));
  for (const std::string_view forbidden : forbidden_modules)
    if (package == forbidden) return true;
  return false;
}

}  // namespace lamina::io::pickle
