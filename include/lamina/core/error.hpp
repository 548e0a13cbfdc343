/// Run-time errors. Every one names the condition, where it holds and the values that disagree.
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

namespace lamina {

/// Base of every exception that lamina throws.
struct error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Extents that are known only at run time do not fit: the operation, the extents it needs and those it got.
struct shape_error : error {
  using error::error;
};

/// A parameter is read before it has values, or an argument has none of the values it may have.
struct parameter_error : error {
  using error::error;
};

/// Elements are wanted on one device and lie on another: what wants them, where they are, and what to do.
struct device_error : error {
  using error::error;
};

/// A weight file is damaged, hostile or of a kind that is not read: the file, where in it, and why.
struct checkpoint_error : error {
  using error::error;
};

/// A weight file and a model do not belong together. The lists name every key; the text has them too.
struct load_error : checkpoint_error {
  std::vector<std::string> missing{};      ///< keys of the model that the file lacks
  std::vector<std::string> unexpected{};   ///< keys of the file that the model lacks
  std::vector<std::string> mismatched{};   ///< keys of both whose shapes differ
  std::vector<std::string> differences{};  ///< what load_model found: sentences that begin with a module's path
  using checkpoint_error::checkpoint_error;
};

}  // namespace lamina
