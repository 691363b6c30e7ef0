// Sources and indexes as the tests of this module make and read them.
#pragma once

#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/faces_on_disk.h"
#include "support/temp_folder.h"
#include "uir/data/index_builder.h"

namespace uir {

inline void write(const fs::path& path, std::string_view content) {
  create_folders(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

inline void put_byte(const fs::path& path, size_t at, char byte) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

inline SourceConfig list_source(const std::string& name, Role role, const fs::path& list,
                                const fs::path& root, ListFormat format = ListFormat::kPathLabel) {
  SourceConfig source;
  source.name = name;
  source.role = role;
  source.kind = ListSource{{list.string()}, {root.string()}, format, {}};
  return source;
}

inline SourceConfig record_source(const std::string& name, Role role, const fs::path& rec) {
  SourceConfig source;
  source.name = name;
  source.role = role;
  source.kind = RecordIoSource{{rec.string()}, {}};
  return source;
}

inline SourceConfig bin_source(const std::string& name, const fs::path& file) {
  SourceConfig source;
  source.name = name;
  source.role = Role::kTest;
  source.kind = BinSource{{file.string()}};
  return source;
}

inline IndexReport build(const fs::path& folder, std::vector<SourceConfig> sources, int threads = 2) {
  DataConfig config;
  config.sources = std::move(sources);
  return build_index(config, folder, threads);
}

inline std::optional<Error> build_error(const TempFolder& folder, std::vector<SourceConfig> sources) {
  const auto error = error_of([&] { build(folder / "index", std::move(sources)); });
  CHECK_FALSE(fs::exists(folder / "index"));  // nothing half-written
  return error;
}

// All files of a folder by name.
inline std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    files[entry.path().filename().string()] = read_text_file(entry.path());
  }
  return files;
}

inline std::vector<std::string> items_of(const Index& index) {
  std::vector<std::string> items;
  for (int64_t row = 0; row < index.size(); ++row) items.emplace_back(index.item(row));
  return items;
}

inline std::vector<int64_t> labels_of(const Index& index) {
  return {index.labels().begin(), index.labels().end()};
}

}  // namespace uir
