/// The zip files of torch.save (since PyTorch 1.6).
#pragma once
#include "pickle.hpp"
#include "torch_source.hpp"
#include "zip.hpp"
#include <string_view>
#include <utility>

namespace lamina::io {

namespace detail {
[[gnu::cold]] inline void check_archive_version(const ZipArchive& archive) {
  const std::size_t record = archive.find("version");
  if (record == ZipArchive::none)
    archive.refuse("", "is a zip archive without a record `version`: not written by torch.save");
  std::string_view text = archive[record].bytes;
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (text != "10" && !(text.size() == 1 && text[0] >= '1' && text[0] <= '9'))
    archive.refuse({"version"}, {"the version of the file format is ", quoted_name(text), "; 1 to 10 are read"});
}
[[gnu::cold]] inline bool is_big_endian(const ZipArchive& archive) {
  const std::size_t record = archive.find("byteorder");
  if (record == ZipArchive::none || archive[record].bytes == "little") return false;
  if (archive[record].bytes != "big")
    archive.refuse({"byteorder"}, {"is ", quoted_name(archive[record].bytes), ", neither little nor big"});
  return true;
}
}  // namespace detail

/// Reads the pickle `data.pkl` and finds the storages `data/KEY` of the source's file. Throws checkpoint_error.
[[gnu::cold]] inline void read_torch_archive(TorchSource& source) {
  const ZipArchive archive(source.file);
  detail::check_archive_version(archive);
  source.byte_swapped = detail::is_big_endian(archive);
  const std::size_t record = archive.find("data.pkl");
  if (record == ZipArchive::none) archive.refuse("", "is a zip archive without data.pkl: not written by torch.save");
  constexpr std::string_view folder = "data/";
  for (std::size_t i = 0; i < archive.size(); ++i) {
    const std::string_view name = archive[i].name;
    if (ZipArchive::lower_case(name.substr(0, folder.size())) == folder)
      source.add_storage(name.substr(folder.size()), archive[i].bytes);
  }
  source.graph = pickle::Machine(source.file.path(), source.pickle_name(), archive[record].bytes).run();
  source.check_storages();
}

}  // namespace lamina::io
