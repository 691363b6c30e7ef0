#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>
#include <utility>

#include "uir/base/error.h"
#include "uir/checkpoint/checkpoint.h"
#include "uir/checkpoint/layout.h"

namespace uir {
namespace {

using namespace checkpoint_layout;

constexpr uint64_t kMaxManifest = uint64_t{256} << 20;
constexpr uint64_t kChecksumBlock = uint64_t{64} << 20;

struct Shard {
  RowRange rows;
  SafetensorsFile centers, optimizer;
};

[[noreturn]] void damaged(const fs::path& path, std::string_view what) {
  fail(ErrorKind::kData, path.string(), ": damaged: ", what, "; use another checkpoint");
}

// Pages that were read are given back, so that verifying a large checkpoint does not grow memory.
uint64_t checksum_of(const MappedFile& file) {
  Checksum checksum;
  for (uint64_t begin = 0; begin < file.bytes().size(); begin += kChecksumBlock) {
    const Bytes block = file.bytes().subspan(begin, std::min(kChecksumBlock, file.bytes().size() - begin));
    checksum.add(block);
    file.drop(begin, block.size());
  }
  return checksum.value();
}

// Says which tensor is damaged, where the header still tells.
std::string what_is_damaged(const fs::path& path, const Json& entry) {
  try {
    const Json& sums = entry.at("tensors");
    const SafetensorsFile file(path);
    for (const TensorView& view : file.tensors()) {
      if (sums.value(view.name, "") != checksum_hex(view.bytes)) return concat("tensor '", view.name, "'");
    }
  } catch (const std::exception&) {  // not a tensor file, or its header is damaged, too
  }
  return "its checksum does not match the manifest";
}

// The folder's files. Each is compared with the manifest before it is used; names come from us, never from
// the manifest.
class VerifiedFiles {
 public:
  VerifiedFiles(const fs::path& folder, const Json& manifest)
      : folder_(folder),
        place_((folder / kManifest).string()),
        files_(json_at<Json>(manifest, "files", place_)) {}

  MappedFile open(const std::string& name) const {
    const Json& listed = entry(name);
    std::error_code error;
    if (!fs::exists(folder_ / name, error))
      damaged(folder_ / name, "the manifest lists it, but it is missing");
    MappedFile file(resolve_inside(folder_, name));
    const auto bytes = json_at<uint64_t>(listed, "bytes", place_);
    if (file.bytes().size() != bytes)
      damaged(file.path(), concat(file.bytes().size(), " bytes, expected ", bytes));
    if (checksum_hex(checksum_of(file)) != json_at<std::string>(listed, "checksum", place_)) {
      damaged(file.path(), what_is_damaged(file.path(), listed));
    }
    return file;
  }

  SafetensorsFile open_tensors(const std::string& name) const { return SafetensorsFile(open(name).path()); }

  Shard open_shard(int64_t rank, int64_t num_ranks) const {
    const std::string name = shard_name(kCenters, rank, num_ranks);
    const auto rows = json_at<std::array<int64_t, 2>>(entry(name), "rows", place_);
    return {
        {rows[0], rows[1]}, open_tensors(name), open_tensors(shard_name(kCentersOptimizer, rank, num_ranks))};
  }

 private:
  const Json& entry(const std::string& name) const {
    const auto found = files_.find(name);
    if (found == files_.end() || !found->is_object()) damaged(place_, concat("it does not list ", name));
    return *found;
  }

  fs::path folder_;
  std::string place_;
  Json files_;
};

// Every tensor has the shard's rows, and the type and row shape of the first shard's tensor of the same name.
void check_shard(const SafetensorsFile& file, RowRange rows, const SafetensorsFile& first) {
  const fs::path& path = file.file().path();
  if (file.tensors().size() != first.tensors().size()) damaged(path, "other tensors than in the first shard");
  for (const TensorView& view : file.tensors()) {
    const TensorView& model = first.at(view.name);
    const bool fits = !view.shape.empty() && view.shape.size() == model.shape.size() &&
                      view.type == model.type && view.shape[0] == rows.size() &&
                      std::equal(view.shape.begin() + 1, view.shape.end(), model.shape.begin() + 1);
    if (!fits) damaged(path, concat("tensor '", view.name, "' does not fit the rows or the other shards"));
  }
}

void check_shards(const std::vector<Shard>& shards, int64_t num_classes, const fs::path& manifest) {
  int64_t position = 0;
  for (const Shard& shard : shards) {
    if (shard.rows.begin != position || shard.rows.end < position)
      damaged(manifest, "class rows have gaps or overlap");
    position = shard.rows.end;
    check_shard(shard.centers, shard.rows, shards[0].centers);
    check_shard(shard.optimizer, shard.rows, shards[0].optimizer);
    shard.centers.at(kCentersTensor);
  }
  if (position != num_classes) damaged(manifest, concat("class rows end at ", position, " of ", num_classes));
}

uint64_t row_bytes(const TensorView& view) {
  TensorInfo row = view;
  row.shape[0] = 1;
  return byte_size(row).value();  // checked when the file was opened, unless it has no rows
}

Json read_manifest(const fs::path& folder) {
  const fs::path path = folder / kManifest;
  std::error_code error;
  if (!fs::exists(path, error)) {
    fail(ErrorKind::kMissingInput, folder.string(), ": not a checkpoint folder: it has no ", kManifest);
  }
  Json manifest = unseal(read_text_file(path, kMaxManifest), path);
  const std::string place = path.string();
  if (json_at<std::string>(manifest, "format", place) != kFormat)
    damaged(path, "not the manifest of a checkpoint");
  const auto version = json_at<int64_t>(manifest, "version", place);
  if (version != kVersion) {
    fail(ErrorKind::kData, place, ": format version ", version, ", expected ", kVersion,
         "; read it with the release that wrote it");
  }
  return manifest;
}

}  // namespace

struct Checkpoint::Impl {
  fs::path folder;
  Json model_config, train_state;
  int64_t step = 0, num_classes = 0, num_ranks = 0, threads = 0;
  std::string libtorch_version, data_fingerprint, classes_fingerprint, config;
  std::optional<SafetensorsFile> model, optimizer, state;
  std::vector<Shard> shards;  // by row

  void read_fields(const Json& manifest);
  void open_files(const VerifiedFiles& files);
  // Rows of one tensor of all shards.
  at::Tensor read_rows(SafetensorsFile Shard::*part, const std::string& name, RowRange rows) const;
};

void Checkpoint::Impl::read_fields(const Json& manifest) {
  const std::string place = (folder / kManifest).string();
  step = json_at<int64_t>(manifest, "step", place);
  num_classes = json_at<int64_t>(manifest, "num_classes", place);
  num_ranks = json_at<int64_t>(manifest, "num_ranks", place);
  threads = json_at<int64_t>(manifest, "threads", place);
  libtorch_version = json_at<std::string>(manifest, "libtorch", place);
  data_fingerprint = json_at<std::string>(manifest, "data_fingerprint", place);
  classes_fingerprint = json_at<std::string>(manifest, "classes_fingerprint", place);
  model_config = json_at<Json>(manifest, "model", place);
  train_state = json_at<Json>(manifest, "train_state", place);
  if (step < 0 || num_classes < 0 || num_ranks < 1) damaged(place, "a count is negative");
}

void Checkpoint::Impl::open_files(const VerifiedFiles& files) {
  config = std::string(as_text(files.open(kConfig).bytes()));
  model = files.open_tensors(kModel);
  optimizer = files.open_tensors(kOptimizer);
  state = files.open_tensors(kState);
  for (int64_t rank = 0; rank < num_ranks; ++rank) shards.push_back(files.open_shard(rank, num_ranks));
  check_shards(shards, num_classes, folder / kManifest);
}

at::Tensor Checkpoint::Impl::read_rows(SafetensorsFile Shard::*part, const std::string& name,
                                       RowRange rows) const {
  ensure(0 <= rows.begin && rows.begin <= rows.end && rows.end <= num_classes,
         "asked-for class rows lie in [0, C]");
  const TensorView& first = (shards[0].*part).at(name);
  const uint64_t row_size = row_bytes(first);
  std::vector<int64_t> shape = first.shape;
  shape[0] = rows.size();
  at::Tensor result = at::empty(shape, scalar_type(first.type));
  auto* out = static_cast<std::byte*>(result.data_ptr());
  for (const Shard& shard : shards) {
    const int64_t begin = std::max(rows.begin, shard.rows.begin), end = std::min(rows.end, shard.rows.end);
    if (begin >= end || row_size == 0) continue;
    const Bytes source = (shard.*part).at(name).bytes;
    std::memcpy(out + (begin - rows.begin) * row_size, source.data() + (begin - shard.rows.begin) * row_size,
                (end - begin) * row_size);
  }
  return result;
}

const fs::path& Checkpoint::folder() const { return impl_->folder; }
int64_t Checkpoint::step() const { return impl_->step; }
int64_t Checkpoint::num_classes() const { return impl_->num_classes; }
int64_t Checkpoint::num_ranks() const { return impl_->num_ranks; }
int64_t Checkpoint::threads() const { return impl_->threads; }
const std::string& Checkpoint::libtorch_version() const { return impl_->libtorch_version; }
const std::string& Checkpoint::data_fingerprint() const { return impl_->data_fingerprint; }
const std::string& Checkpoint::classes_fingerprint() const { return impl_->classes_fingerprint; }
const Json& Checkpoint::model_config() const { return impl_->model_config; }
const Json& Checkpoint::train_state() const { return impl_->train_state; }
const std::string& Checkpoint::config() const { return impl_->config; }

NamedTensors Checkpoint::model() const { return to_tensors(*impl_->model); }
NamedTensors Checkpoint::optimizer() const { return to_tensors(*impl_->optimizer); }
NamedTensors Checkpoint::state() const { return to_tensors(*impl_->state); }

at::Tensor Checkpoint::read_centers(RowRange rows) const {
  return impl_->read_rows(&Shard::centers, kCentersTensor, rows);
}

NamedTensors Checkpoint::read_centers_optimizer(RowRange rows) const {
  NamedTensors tensors;
  for (const TensorView& view : impl_->shards[0].optimizer.tensors()) {
    tensors.emplace(view.name, impl_->read_rows(&Shard::optimizer, view.name, rows));
  }
  return tensors;
}

Checkpoint open_checkpoint(const fs::path& folder) {
  const Json manifest = read_manifest(folder);
  auto impl = std::make_shared<Checkpoint::Impl>();
  impl->folder = folder;
  impl->read_fields(manifest);
  impl->open_files(VerifiedFiles(folder, manifest));
  Checkpoint checkpoint;
  checkpoint.impl_ = std::move(impl);
  return checkpoint;
}

SafetensorsFile checkpoint_layout::open_verified_model(const fs::path& folder) {
  return VerifiedFiles(folder, read_manifest(folder)).open_tensors(kModel);
}

}  // namespace uir
