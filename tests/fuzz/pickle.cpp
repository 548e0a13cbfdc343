// A pickle without the zip file around it. The storages that it may refer to are there: ten of 64 bytes, as in the
// seeds.
#include "read_all.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<char> storage(64, 'x');
  return fuzz::attempt(data, size, [](lamina::io::MappedFile file) {
    lamina::io::TorchFile content{{}, lamina::io::TorchSource(file, false)};
    lamina::io::TorchSource& source = content.source;
    for (const char* key : {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"})
      source.add_storage(key, {storage.data(), storage.size()});
    source.graph = lamina::io::pickle::Machine(file.path(), source.pickle_name(), file.bytes()).run();
    source.check_storages();
    lamina::io::find_weights(content);
    fuzz::read_torch(content);
  });
}
