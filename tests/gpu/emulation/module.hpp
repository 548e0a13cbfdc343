/// A compiled module, between NVRTC, which makes it, and the runtime, which loads it.
#pragma once
#include <string>

namespace emulation {

/// Begins a module; the architecture, the number of bytes and the bytes of a shared library follow, a line each.
constexpr const char* module_mark = "emulated module ";

std::string hash_of(const std::string& text);  ///< 16 hexadecimal digits

/// kernel_source.cpp: what the compiler of the host is given for the source of kernels, of which each gets a function
/// that calls it, and one that describes its parameters.
std::string host_source(const std::string& source);

}  // namespace emulation
