/// Local memory of kernels, from what NVRTC's assembler says: where values do not fit into registers.
#pragma once
#include <map>
#include <sstream>
#include <string>

/// Makes NVRTC say it.
inline constexpr const char* say_local_memory = "--ptxas-options=-v";
/// Bytes. Where a block has much to do, the assembler puts a word or two aside for more blocks to run at a time;
/// elementwise kernels have none.
inline constexpr int most_local_memory = 16;

/// Bytes of local memory of each kernel, from what ptxas says.
inline std::map<std::string, int> local_memory_in(const std::string& log) {
  std::map<std::string, int> bytes;
  const std::string mark = "Function properties for ";
  std::string kernel;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (const std::size_t at = line.find(mark); at != std::string::npos) kernel = line.substr(at + mark.size());
    const std::size_t end = line.find(" bytes stack frame");
    if (end != std::string::npos) bytes[kernel] = std::stoi(line.substr(line.find_last_of(' ', end - 1)));
  }
  return bytes;
}
