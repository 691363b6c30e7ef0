#include "uir/store/store_files.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace uir::store_files {

std::vector<ArrayFile> array_files(const StoreShape& shape) {
  std::vector<ArrayFile> files{{kEmbeddings, shape.dim}};
  if (shape.mirrored) files.push_back({kMirrored, shape.dim});
  if (shape.classes) files.push_back({kClasses, kClassColumns});
  return files;
}

std::vector<std::string_view> data_files(const StoreShape& shape) {
  std::vector<std::string_view> names;
  for (const ArrayFile& file : array_files(shape)) names.push_back(file.name);
  names.push_back(kItems);
  return names;
}

fs::path partial_folder(const fs::path& folder) {
  fs::path partial = folder;
  partial += ".partial";
  return partial;
}

std::optional<Item> parse_item(std::string_view line) {
  const size_t tab = line.find('\t');
  if (tab == 0 || tab == std::string_view::npos) return std::nullopt;
  Item item{line.substr(0, tab)};
  const char* end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data() + tab + 1, end, item.label);
  if (error != std::errc() || stop != end || item.label < -1) return std::nullopt;
  if (item.name.find('\n') != std::string_view::npos) return std::nullopt;
  return item;
}

int64_t first_non_finite_row(MatrixView matrix) {
  for (int64_t i = 0; i < matrix.rows; ++i) {
    if (!std::ranges::all_of(matrix.row(i), [](float x) { return std::isfinite(x); })) return i;
  }
  return -1;
}

std::string manifest_checksum(const Json& manifest) {
  Json rest = manifest;
  rest.erase("checksum");
  return checksum_hex(as_bytes(rest.dump()));
}

}  // namespace uir::store_files
