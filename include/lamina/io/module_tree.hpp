/// The structure of a model that was saved whole, as inert data.
#pragma once
#include "../core/dtype.hpp"
#include "../core/list.hpp"
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lamina::io {

/// A plain attribute of a saved module. The value is text in Python's notation: `(3, 3)`, `'zeros'`, `None`, `1e-05`.
struct ModuleAttribute {
  std::string name, value;
};

/// A parameter or buffer of a saved module.
struct ModuleTensor {
  std::string name;
  Dtype dtype = Dtype::float32;
  std::vector<std::int64_t> shape;  ///< empty for a tensor without dimensions
  bool parameter = true;            ///< a parameter, or else a buffer
  bool saved = true;                ///< part of the state_dict: false for a buffer with `persistent=False`
};

/// A saved module: its class by name, since its code is not in the file, and what its attributes were.
struct ModuleNode {
  std::string path;                         ///< as in named_modules(): `layer1.0.conv1`; the root's is empty
  std::string name;                         ///< its last part: `conv1`
  std::string class_module;                 ///< where Python has the class: `torch.nn.modules.conv`
  std::string class_name;                   ///< `Conv2d`
  std::size_t depth = 0;                    ///< the root has 0, its children 1, ..
  std::vector<ModuleAttribute> attributes;  ///< in the order of the file, `training` among them, without the tables
                                            ///< that every torch.nn.Module keeps about itself (`_parameters`, hooks)
  std::vector<ModuleTensor> tensors;        ///< parameters, then buffers; without those that are None

  /// The value of an attribute, or nullptr.
  const std::string* attribute(std::string_view wanted) const {
    for (const ModuleAttribute& one : attributes)
      if (one.name == wanted) return &one.value;
    return nullptr;
  }
};

/// The modules of a whole model, each before its children, in the order of named_modules(). Unlike there, a module that
/// is a child in two places appears in both, as its tensors do in the state_dict.
using ModuleTree = lamina::detail::List<ModuleNode>;

}  // namespace lamina::io
