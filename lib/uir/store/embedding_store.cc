#include "uir/store/embedding_store.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <numeric>

#include "uir/base/parallel.h"
#include "uir/store/store_files.h"

namespace uir {

using namespace store_files;

struct EmbeddingStore::Impl {
  fs::path folder;
  Json manifest;
  std::vector<MappedMatrix> arrays;  // a store's: as in array_files()
  std::optional<MatrixView> mirrored, classes;
  MappedFile items_file;
  std::string numbers;                // the items where there is no file
  std::string_view items_text;        // one item per line
  std::string_view item_ends = "\t";  // the characters that end an item
  std::vector<uint64_t> line_begins;  // in items_text, with its end
  std::vector<int64_t> labels;

  std::shared_ptr<const Impl> names;  // whose memory the items lie in; null: this one's

  mutable std::once_flag sorted_once;
  mutable std::vector<int64_t> sorted_rows;  // by item, made on the first row_of()

  std::string_view item(int64_t row) const {
    const uint64_t begin = line_begins[row], end = line_begins[row + 1];
    const std::string_view line = items_text.substr(begin, end - begin);
    return line.substr(0, line.find_first_of(item_ends));
  }
  const std::vector<int64_t>& rows_by_item() const;

  // Calls visit(line, its number from 1) for each line of the items, and notes where it begins.
  template <class Visit>
  void read_lines(Visit&& visit);
  void read_items_with_labels(const fs::path& path);
  void read_items(const fs::path& path);
  void number_items(int64_t rows);
  void read_labels(const fs::path& path);
  MappedMatrix open_features_of(const fs::path& path, const EmbeddingFiles& files) const;
  void refuse_non_finite(const fs::path& path, MatrixView matrix, int threads) const;
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
  const int version = json_at<int>(json, "version", path.string());
  if (version < kOldestVersion || version > kVersion) {
    fail(ErrorKind::kData, path.string(), ": version ", version, "; expected ", kOldestVersion, " to ",
         kVersion);
  }
  if (json_at<std::string>(json, "checksum", path.string()) != manifest_checksum(json)) {
    fail(ErrorKind::kData, path.string(), ": its checksum does not match; extract again");
  }
  return json;
}

StoreShape read_shape(const Json& manifest, const std::string& place) {
  StoreShape shape{json_at<int64_t>(manifest, "rows", place), json_at<int64_t>(manifest, "dim", place),
                   json_at<bool>(manifest, "mirrored", place), json_at<bool>(manifest, "classes", place)};
  if (json_at<int>(manifest, "version", place) == 1)
    shape.class_columns = static_cast<int64_t>(ClassColumn::kLogOdds);
  return shape;
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

MappedMatrix open_array(const fs::path& path, int64_t rows, int64_t cols) {
  MappedMatrix file = open_npy(path);
  const MatrixView found = file.matrix();
  if (found.rows != rows || found.cols != cols) {
    fail(ErrorKind::kData, path.string(), ": shape (", found.rows, ", ", found.cols,
         "), but the manifest says (", rows, ", ", cols, ")");
  }
  return file;
}

// A list of another tool without the byte order mark in front and blank lines at its end.
std::string_view without_frame(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const size_t last = text.find_last_not_of(" \t\r\n");
  if (last == std::string_view::npos) return {};
  return text.substr(0, text.find('\n', last));
}

}  // namespace

template <class Visit>
void EmbeddingStore::Impl::read_lines(Visit&& visit) {
  int64_t number = 0;
  for (size_t begin = 0; begin < items_text.size();) {
    const size_t end = std::min(items_text.find('\n', begin), items_text.size());
    visit(items_text.substr(begin, end - begin), ++number);
    line_begins.push_back(begin);
    begin = end + 1;
  }
  line_begins.push_back(items_text.size());
}

void EmbeddingStore::Impl::read_items_with_labels(const fs::path& path) {
  items_file = MappedFile(path);
  items_text = as_text(items_file.bytes());
  const bool whole = items_text.empty() || items_text.back() == '\n';
  read_lines([&](std::string_view line, int64_t number) {
    const std::optional<Item> item = parse_item(line);
    if (!item || (!whole && line.end() == items_text.end())) {
      fail(ErrorKind::kData, path.string(), ": line ", number,
           ": expected 'item<TAB>label' with a label of at least -1");
    }
    labels.push_back(item->label);
  });
}

void EmbeddingStore::Impl::read_items(const fs::path& path) {
  items_file = MappedFile(path);
  items_text = without_frame(as_text(items_file.bytes()));
  item_ends = "\t \r\n";
  read_lines([&](std::string_view line, int64_t number) {
    if (line.find_first_of(item_ends) == 0 || line.empty()) {
      fail(ErrorKind::kData, path.string(), ": line ", number, ": no item before the first tab or space");
    }
  });
}

void EmbeddingStore::Impl::number_items(int64_t rows) {
  item_ends = "\n";
  for (int64_t row = 0; row < rows; ++row) numbers += concat(row, "\n");
  items_text = numbers;
  read_lines([](std::string_view, int64_t) {});
}

void EmbeddingStore::Impl::read_labels(const fs::path& path) {
  const std::string file = read_text_file(path);
  const std::string_view text = without_frame(file);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    int64_t label = 0;
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), label);
    if (error != std::errc() || stop != line.data() + line.size() || label < -1) {
      fail(ErrorKind::kData, path.string(), ": line ", labels.size() + 1, ": '", line.substr(0, 80),
           "'; expected one integer of at least -1");
    }
    labels.push_back(label);
    begin = end + 1;
  }
}

MappedMatrix EmbeddingStore::Impl::open_features_of(const fs::path& path, const EmbeddingFiles& files) const {
  if (!fs::is_directory(path)) {
    if (files.suffix.empty()) return open_features(path);
    fail(ErrorKind::kConfig, path.string(), ": is no folder, so there is nothing for the suffix '",
         files.suffix, "' to be put behind");
  }
  if (files.items.empty()) {
    fail(ErrorKind::kConfig, path.string(), ": a folder of features needs the list of its items");
  }
  std::vector<std::string_view> names;
  for (size_t row = 0; row + 1 < line_begins.size(); ++row) names.push_back(item(static_cast<int64_t>(row)));
  return open_feature_tree(path, names, files.suffix);
}

void EmbeddingStore::Impl::refuse_non_finite(const fs::path& path, MatrixView matrix, int threads) const {
  const int64_t row = first_non_finite_row(matrix, threads);
  if (row < 0) return;
  fail(ErrorKind::kData, path.string(), ": row ", row, " (", item(row),
       ") holds a value that is not finite; extract again");
}

EmbeddingStore EmbeddingStore::open(const fs::path& folder, int threads) {
  auto impl = std::make_shared<Impl>();
  impl->folder = folder;
  const Json manifest = read_manifest(folder);
  const std::string place = (folder / kManifest).string();
  const StoreShape shape = read_shape(manifest, place);
  impl->manifest = json_at<Json>(manifest, "extraction", place);
  const std::vector<std::string_view> names = data_files(shape);
  parallel_blocks(static_cast<int64_t>(names.size()), 1, threads,
                  [&](int64_t i, int64_t) { check_file(folder, names[i], manifest); });
  for (const ArrayFile& file : array_files(shape)) {
    impl->arrays.push_back(open_array(folder / file.name, shape.rows, file.cols));
    const MatrixView matrix = impl->arrays.back().matrix();
    if (file.name == kMirrored) impl->mirrored = matrix;
    if (file.name == kClasses) impl->classes = matrix;
  }
  impl->read_items_with_labels(folder / kItems);
  if (static_cast<int64_t>(impl->labels.size()) != shape.rows) {
    fail(ErrorKind::kData, (folder / kItems).string(), ": ", impl->labels.size(),
         " lines, but the manifest says ", shape.rows, " rows");
  }
  size_t array = 0;
  for (const ArrayFile& file : array_files(shape)) {
    impl->refuse_non_finite(folder / file.name, impl->arrays[array++].matrix(), threads);
  }
  EmbeddingStore store;
  store.impl_ = std::move(impl);
  return store;
}

EmbeddingStore EmbeddingStore::open(const EmbeddingFiles& files, int threads) {
  auto impl = std::make_shared<Impl>();
  impl->folder = files.features;
  impl->manifest = {{"features", files.features.filename().string()}};
  if (!files.items.empty()) impl->read_items(files.items);
  impl->arrays.push_back(impl->open_features_of(files.features, files));
  const MatrixView features = impl->arrays.front().matrix();
  if (!files.mirrored.empty()) {
    impl->arrays.push_back(impl->open_features_of(files.mirrored, files));
    const MatrixView mirrored = impl->arrays.back().matrix();
    if (mirrored.rows != features.rows || mirrored.cols != features.cols) {
      fail(ErrorKind::kData, files.mirrored.string(), ": shape (", mirrored.rows, ", ", mirrored.cols,
           "), but ", files.features.string(), " has (", features.rows, ", ", features.cols, ")");
    }
    impl->mirrored = mirrored;
    impl->manifest["mirrored"] = files.mirrored.filename().string();
  }

  const auto check_count = [&](const fs::path& path, size_t lines) {
    if (static_cast<int64_t>(lines) == features.rows) return;
    fail(ErrorKind::kData, path.string(), ": ", lines, " lines, but ", files.features.string(), " has ",
         features.rows, " rows; the list must have one line per row, in the same order");
  };
  if (files.items.empty()) {
    impl->number_items(features.rows);
  } else {
    check_count(files.items, impl->line_begins.size() - 1);
  }
  if (files.labels.empty()) {
    impl->labels.assign(static_cast<size_t>(features.rows), -1);
  } else {
    impl->read_labels(files.labels);
    check_count(files.labels, impl->labels.size());
  }
  impl->refuse_non_finite(files.features, features, threads);
  if (impl->mirrored) impl->refuse_non_finite(files.mirrored, *impl->mirrored, threads);
  EmbeddingStore store;
  store.impl_ = std::move(impl);
  return store;
}

EmbeddingStore EmbeddingStore::with_embeddings(std::vector<float> embeddings, std::vector<float> mirrored,
                                               int64_t dim, Json manifest) const {
  auto impl = std::make_shared<Impl>();
  impl->folder = impl_->folder;
  impl->manifest = std::move(manifest);
  impl->names = impl_;
  impl->items_text = impl_->items_text;
  impl->item_ends = impl_->item_ends;
  impl->line_begins = impl_->line_begins;
  impl->labels = impl_->labels;
  impl->arrays.emplace_back(std::move(embeddings), size(), dim);
  if (!mirrored.empty()) {
    impl->arrays.emplace_back(std::move(mirrored), size(), dim);
    impl->mirrored = impl->arrays.back().matrix();
  }
  EmbeddingStore store;
  store.impl_ = std::move(impl);
  return store;
}

MatrixView EmbeddingStore::embeddings() const { return impl_->arrays.front().matrix(); }
std::optional<MatrixView> EmbeddingStore::mirrored() const {
  return shows_mirrored_ ? impl_->mirrored : std::nullopt;
}
EmbeddingStore EmbeddingStore::without_mirrored() const {
  EmbeddingStore store = *this;
  store.shows_mirrored_ = false;
  return store;
}
std::optional<MatrixView> EmbeddingStore::classes() const { return impl_->classes; }
int64_t EmbeddingStore::size() const { return embeddings().rows; }
std::string_view EmbeddingStore::item(int64_t row) const { return impl_->item(row); }
std::span<const int64_t> EmbeddingStore::labels() const { return impl_->labels; }
const Json& EmbeddingStore::manifest() const { return impl_->manifest; }
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
