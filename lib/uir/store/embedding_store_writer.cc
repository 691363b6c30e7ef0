#include <algorithm>
#include <map>

#include "uir/base/growing_file.h"
#include "uir/base/log.h"
#include "uir/store/store_files.h"

namespace uir {

using namespace store_files;

namespace {

constexpr std::string_view kProgress = "progress.json";

Json state_of(const GrowingFile& file) {
  return {{"bytes", file.size()}, {"checksum", checksum_hex(file.checksum())}};
}

Json describe_shape(const StoreShape& shape) {
  return {{"rows", shape.rows}, {"dim", shape.dim}, {"mirrored", shape.mirrored}, {"classes", shape.classes}};
}

// Whether the files in the partial folder still begin with what progress.json says was synced.
bool holds_synced_bytes(const fs::path& partial, const Json& files) {
  bool intact = true;
  for (const auto& [name, entry] : files.items()) {
    const MappedFile file(partial / name);
    const auto bytes = entry.at("bytes").get<uint64_t>();
    intact = intact && file.bytes().size() >= bytes &&
             checksum_hex(file.bytes().first(bytes)) == entry.at("checksum").get<std::string>();
  }
  return intact;
}

// What was synced last: progress.json, or the manifest of a store that was complete but not yet published.
Json read_progress(const fs::path& partial, const Json& run) {
  const bool complete = !fs::exists(partial / kProgress);
  Json found = read_json_file(partial / (complete ? kManifest : kProgress));
  if (found.at("checksum") != manifest_checksum(found)) fail(ErrorKind::kData, "its checksum does not match");
  if (!complete) return found;
  Json shape;
  for (const auto& [key, unused] : run["shape"].items()) shape[key] = found.at(key);
  return {
      {"run", {{"version", found.at("version")}, {"shape", shape}, {"extraction", found.at("extraction")}}},
      {"rows", found.at("rows")},
      {"files", found.at("files")}};
}

// The progress of an interrupted run that can be continued as `run`; null if there is none.
Json resumable_progress(const fs::path& partial, const Json& run) {
  if (fs::is_empty(partial)) return nullptr;
  try {
    Json progress = read_progress(partial, run);
    if (progress.at("run") != run) return nullptr;
    if (holds_synced_bytes(partial, progress.at("files"))) return progress;
    log_warning(partial.string(), ": the interrupted extraction is damaged; starting over");
  } catch (const std::exception& e) {  // Error or Json::exception: nothing to continue
    log_warning(partial.string(), ": cannot continue the interrupted extraction (", e.what(),
                "); starting over");
  }
  return nullptr;
}

}  // namespace

struct EmbeddingStoreWriter::Impl {
  Impl(const fs::path& folder, StoreShape shape_in, Json manifest);
  void start_files(const Json& progress);
  void check_block(MatrixView block, std::string_view array, std::span<const std::string> items) const;
  void write_items(std::span<const std::string> items);
  Json file_states() const;

  fs::path folder, partial;
  StoreShape shape;
  Json run;  // what must agree for a run to be continued: the shape and the caller's manifest
  std::optional<FolderLock> lock;
  std::map<std::string_view, GrowingFile> files;
  int64_t rows = 0;
};

EmbeddingStoreWriter::Impl::Impl(const fs::path& folder_in, StoreShape shape_in, Json manifest)
    : folder(folder_in), partial(partial_folder(folder_in)), shape(shape_in) {
  ensure(shape.rows >= 0 && shape.dim > 0, "an embedding store has rows >= 0 and dim > 0");
  run = {{"version", kVersion}, {"shape", describe_shape(shape)}, {"extraction", std::move(manifest)}};
  create_folders(partial);
  lock.emplace(partial);
  start_files(resumable_progress(partial, run));
}

// Continues where progress says, or (null) starts from nothing; whatever else lies in the folder is removed.
void EmbeddingStoreWriter::Impl::start_files(const Json& progress) {
  const std::vector<std::string_view> names = data_files(shape);
  for (const auto& entry : fs::directory_iterator(partial)) {
    const std::string name = entry.path().filename().string();
    const bool keep = !progress.is_null() && (name == kProgress || std::ranges::count(names, name) > 0);
    std::error_code ignored;
    if (!keep) fs::remove_all(entry.path(), ignored);
  }
  for (std::string_view name : names) {
    const uint64_t bytes =
        progress.is_null() ? 0 : progress["files"][std::string(name)]["bytes"].get<uint64_t>();
    files.try_emplace(name, partial / name, bytes);
  }
  if (!progress.is_null()) {
    rows = progress["rows"].get<int64_t>();
    return;
  }
  for (const ArrayFile& file : array_files(shape)) {
    files.at(file.name).write(as_bytes(npy_header(shape.rows, file.cols)));
  }
}

void EmbeddingStoreWriter::Impl::check_block(MatrixView block, std::string_view array,
                                             std::span<const std::string> items) const {
  const int64_t bad = first_non_finite_row(block);
  if (bad < 0) return;
  fail(ErrorKind::kData, folder.string(), ": ", array, ": row ", rows + bad, " (",
       items[bad].substr(0, items[bad].find('\t')), ") holds a value that is not finite");
}

void EmbeddingStoreWriter::Impl::write_items(std::span<const std::string> items) {
  std::string text;
  for (const std::string& item : items) (text += item) += '\n';
  files.at(kItems).write(as_bytes(text));
}

Json EmbeddingStoreWriter::Impl::file_states() const {
  Json states = Json::object();
  for (std::string_view name : data_files(shape)) states[std::string(name)] = state_of(files.at(name));
  return states;
}

EmbeddingStoreWriter::EmbeddingStoreWriter(const fs::path& folder, StoreShape shape, Json manifest)
    : impl_(std::make_unique<Impl>(folder, shape, std::move(manifest))) {}

EmbeddingStoreWriter::~EmbeddingStoreWriter() = default;

int64_t EmbeddingStoreWriter::rows_done() const { return impl_->rows; }

void EmbeddingStoreWriter::append(MatrixView embeddings, const float* mirrored, const float* classes,
                                  std::span<const std::string> items) {
  const StoreShape& shape = impl_->shape;
  const int64_t n = embeddings.rows;
  ensure(embeddings.cols == shape.dim && static_cast<int64_t>(items.size()) == n,
         "a block of the store's shape");
  ensure(shape.mirrored == (mirrored != nullptr) && shape.classes == (classes != nullptr),
         "a block with the store's arrays");
  ensure(impl_->rows + n <= shape.rows, "no more rows than the store's shape says");
  for (int64_t i = 0; i < n; ++i) {
    if (!parse_item(items[i])) {
      fail(ErrorKind::kData, impl_->folder.string(), ": row ", impl_->rows + i, ": '", items[i],
           "' is not 'item<TAB>label' with a label of at least -1");
    }
  }
  const std::map<std::string_view, const float*> data{
      {kEmbeddings, embeddings.data}, {kMirrored, mirrored}, {kClasses, classes}};
  for (const ArrayFile& file : array_files(shape))
    impl_->check_block({data.at(file.name), n, file.cols}, file.name, items);
  for (const ArrayFile& file : array_files(shape)) {
    const std::span<const float> values(data.at(file.name), static_cast<size_t>(n * file.cols));
    impl_->files.at(file.name).write(std::as_bytes(values));
  }
  impl_->write_items(items);
  impl_->rows += n;
}

void EmbeddingStoreWriter::sync() {
  for (auto& [name, file] : impl_->files) file.sync();
  Json progress = {{"run", impl_->run}, {"rows", impl_->rows}, {"files", impl_->file_states()}};
  progress["checksum"] = manifest_checksum(progress);
  write_file_atomically(impl_->partial / kProgress, progress.dump(1) + "\n");
}

void EmbeddingStoreWriter::commit() {
  ensure(impl_->rows == impl_->shape.rows, "a store is committed with all its rows");
  sync();
  Json manifest = {{"format", kFormat}, {"version", kVersion}};
  manifest.update(describe_shape(impl_->shape));
  manifest["files"] = impl_->file_states();
  manifest["extraction"] = impl_->run["extraction"];
  manifest["checksum"] = manifest_checksum(manifest);
  write_file_atomically(impl_->partial / kManifest, manifest.dump(1) + "\n");
  std::error_code error;
  fs::remove(impl_->partial / kProgress, error);
  if (error)
    fail(ErrorKind::kIo, (impl_->partial / kProgress).string(), ": cannot remove: ", error.message());
  publish_folder(impl_->partial, impl_->folder);
}

}  // namespace uir
