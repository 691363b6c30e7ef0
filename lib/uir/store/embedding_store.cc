#include "uir/store/embedding_store.h"

#include <algorithm>
#include <mutex>
#include <numeric>

#include "uir/store/store_files.h"

namespace uir {

using namespace store_files;

struct EmbeddingStore::Impl {
  fs::path folder;
  Json manifest;
  std::string fingerprint;
  std::vector<NpyFile> arrays;  // as in array_files()
  std::optional<MatrixView> mirrored, classes;
  MappedFile items;
  std::vector<uint64_t> line_begins;  // of items.tsv, with its end
  std::vector<int64_t> labels;

  mutable std::once_flag sorted_once;
  mutable std::vector<int64_t> sorted_rows;  // by item, made on the first row_of()

  std::string_view item(int64_t row) const {
    const uint64_t begin = line_begins[row], end = line_begins[row + 1];
    const std::string_view line = as_text(items.bytes()).substr(begin, end - begin);
    return line.substr(0, line.find('\t'));
  }
  const std::vector<int64_t>& rows_by_item() const;
};

namespace {

struct OpenedManifest {
  Json json;
  StoreShape shape;
};

Json read_manifest(const fs::path& folder) {
  const fs::path path = folder / kManifest;
  if (!fs::exists(path)) {
    const bool unfinished = fs::exists(partial_folder(folder));
    fail(ErrorKind::kMissingInput, folder.string(), ": no embedding store here (", kManifest, " is missing)",
         unfinished ? "; its extraction has not finished: run uir-extract again" : "");
  }
  Json json = read_json_file(path);
  if (!json.is_object() || json.value("format", Json()) != Json(kFormat)) {
    fail(ErrorKind::kData, path.string(), ": not the manifest of an embedding store (format '", kFormat,
         "')");
  }
  if (json_at<int>(json, "version", path.string()) != kVersion) {
    fail(ErrorKind::kData, path.string(), ": version ", json["version"], "; expected ", kVersion);
  }
  if (json_at<std::string>(json, "checksum", path.string()) != manifest_checksum(json)) {
    fail(ErrorKind::kData, path.string(), ": its checksum does not match; extract again");
  }
  return json;
}

StoreShape read_shape(const Json& manifest, const std::string& place) {
  return {json_at<int64_t>(manifest, "rows", place), json_at<int64_t>(manifest, "dim", place),
          json_at<bool>(manifest, "mirrored", place), json_at<bool>(manifest, "classes", place)};
}

void check_file(const fs::path& folder, std::string_view name, const Json& manifest) {
  const std::string place = (folder / kManifest).string();
  const Json entry = json_at<Json>(json_at<Json>(manifest, "files", place), std::string(name), place);
  const auto expected_bytes = json_at<uint64_t>(entry, "bytes", place);
  const MappedFile file(folder / name);
  if (file.bytes().size() != expected_bytes) {
    fail(ErrorKind::kData, file.path().string(), ": ", file.bytes().size(), " bytes, expected ",
         expected_bytes, "; extract again");
  }
  if (checksum_hex(file.bytes()) != json_at<std::string>(entry, "checksum", place)) {
    fail(ErrorKind::kData, file.path().string(), ": its checksum does not match the manifest; extract again");
  }
}

NpyFile open_array(const fs::path& path, int64_t rows, int64_t cols) {
  NpyFile file(path);
  const MatrixView found = file.matrix();
  if (found.rows != rows || found.cols != cols) {
    fail(ErrorKind::kData, path.string(), ": shape (", found.rows, ", ", found.cols,
         "), but the manifest says (", rows, ", ", cols, ")");
  }
  return file;
}

}  // namespace

EmbeddingStore EmbeddingStore::open(const fs::path& folder) {
  auto impl = std::make_shared<Impl>();
  impl->folder = folder;
  const Json manifest = read_manifest(folder);
  const std::string place = (folder / kManifest).string();
  const StoreShape shape = read_shape(manifest, place);
  impl->manifest = json_at<Json>(manifest, "extraction", place);
  impl->fingerprint = json_at<std::string>(manifest, "checksum", place);
  for (std::string_view name : data_files(shape)) check_file(folder, name, manifest);
  for (const ArrayFile& file : array_files(shape)) {
    impl->arrays.push_back(open_array(folder / file.name, shape.rows, file.cols));
    const MatrixView matrix = impl->arrays.back().matrix();
    if (file.name == kMirrored) impl->mirrored = matrix;
    if (file.name == kClasses) impl->classes = matrix;
  }

  impl->items = MappedFile(folder / kItems);
  const std::string_view text = as_text(impl->items.bytes());
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::optional<Item> item = parse_item(text.substr(begin, end - begin));
    if (!item || end == text.size()) {
      fail(ErrorKind::kData, impl->items.path().string(), ": line ", impl->labels.size() + 1,
           ": expected 'item<TAB>label' with a label of at least -1");
    }
    impl->line_begins.push_back(begin);
    impl->labels.push_back(item->label);
    begin = end + 1;
  }
  impl->line_begins.push_back(text.size());
  if (static_cast<int64_t>(impl->labels.size()) != shape.rows) {
    fail(ErrorKind::kData, impl->items.path().string(), ": ", impl->labels.size(),
         " lines, but the manifest says ", shape.rows, " rows");
  }

  size_t array = 0;
  for (const ArrayFile& file : array_files(shape)) {
    const int64_t row = first_non_finite_row(impl->arrays[array++].matrix());
    if (row < 0) continue;
    fail(ErrorKind::kData, (folder / file.name).string(), ": row ", row, " (", impl->item(row),
         ") holds a value that is not finite; extract again");
  }
  EmbeddingStore store;
  store.impl_ = std::move(impl);
  return store;
}

MatrixView EmbeddingStore::embeddings() const { return impl_->arrays.front().matrix(); }
std::optional<MatrixView> EmbeddingStore::mirrored() const { return impl_->mirrored; }
std::optional<MatrixView> EmbeddingStore::classes() const { return impl_->classes; }
int64_t EmbeddingStore::size() const { return embeddings().rows; }
std::string_view EmbeddingStore::item(int64_t row) const { return impl_->item(row); }
std::span<const int64_t> EmbeddingStore::labels() const { return impl_->labels; }
const Json& EmbeddingStore::manifest() const { return impl_->manifest; }
std::string EmbeddingStore::fingerprint() const { return impl_->fingerprint; }
const fs::path& EmbeddingStore::folder() const { return impl_->folder; }

std::vector<std::string_view> EmbeddingStore::items() const {
  std::vector<std::string_view> items(static_cast<size_t>(size()));
  for (int64_t row = 0; row < size(); ++row) items[row] = item(row);
  return items;
}

const std::vector<int64_t>& EmbeddingStore::Impl::rows_by_item() const {
  std::call_once(sorted_once, [this] {
    sorted_rows.resize(labels.size());
    std::iota(sorted_rows.begin(), sorted_rows.end(), 0);
    std::ranges::stable_sort(sorted_rows, {}, [this](int64_t row) { return item(row); });
  });
  return sorted_rows;
}

int64_t EmbeddingStore::row_of(std::string_view wanted) const {
  const std::vector<int64_t>& rows = impl_->rows_by_item();
  const auto found = std::ranges::lower_bound(rows, wanted, {}, [this](int64_t row) { return item(row); });
  if (found == rows.end() || item(*found) != wanted) return -1;
  const auto next = found + 1;
  if (next != rows.end() && item(*next) == wanted) {
    fail(ErrorKind::kData, (folder() / kItems).string(), ": item '", wanted, "' stands in rows ", *found,
         " and ", *next, "; its name does not say which is meant");
  }
  return *found;
}

}  // namespace uir
