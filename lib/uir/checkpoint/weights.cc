#include "uir/checkpoint/weights.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/checkpoint/checkpoint.h"
#include "uir/checkpoint/distributed_weights.h"
#include "uir/checkpoint/layout.h"
#include "uir/checkpoint/sharded_weights.h"
#include "uir/formats/distributed_checkpoint.h"
#include "uir/formats/torch_file.h"
#include "uir/formats/weights_kind.h"
#include "uir/network/architecture.h"
#include "uir/onnx/state_dict.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

constexpr std::array<std::string_view, 6> kBackboneKeys{"state_dict_backbone", "backbone", "state_dict",
                                                        "model_state_dict",    "model",    "net"};
constexpr std::string_view kCentersKey = "state_dict_softmax_fc", kCentersName = "weight";
constexpr std::string_view kRankStem = "checkpoint_gpu_", kRankEnding = ".pt";

fs::path rank_path(const fs::path& folder, size_t rank) {
  return folder / concat(kRankStem, rank, kRankEnding);
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// How many checkpoint_gpu_<rank>.pt the folder holds; 0 for other folders. kData if one is missing in
// between.
size_t count_ranks(const fs::path& folder) {
  size_t found = 0, highest = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kRankStem) || !name.ends_with(kRankEnding)) continue;
    const std::string_view digits =
        std::string_view(name).substr(kRankStem.size(), name.size() - kRankStem.size() - kRankEnding.size());
    size_t rank = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
    if (error != std::errc() || end != digits.data() + digits.size()) continue;
    ++found;
    highest = std::max(highest, rank);
  }
  if (found == 0) return 0;
  for (size_t rank = 0; rank <= highest && found != highest + 1; ++rank) {
    if (!fs::exists(rank_path(folder, rank)))
      fail(ErrorKind::kData, folder.string(), ": holds ", found,
           " files checkpoint_gpu_<rank>.pt up to rank ", highest, ", but that of rank ", rank,
           " is missing");
  }
  return highest + 1;
}

bool is_rank_folder(const fs::path& path) {
  std::error_code error;
  return is_folder(path) && !fs::exists(path / checkpoint_layout::kManifest, error) && count_ranks(path) > 0;
}

bool is_torch_file(const fs::path& path) { return weights_format(MappedFile(path)) == WeightsFormat::kTorch; }

// A folder without a manifest may be of another tool.
void refuse_foreign_folder(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder / checkpoint_layout::kManifest, error)) return;
  const std::string foreign = foreign_folder(folder);
  if (!foreign.empty()) fail(ErrorKind::kData, folder.string(), ": ", foreign);
}

std::string joined(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) text += concat(text.empty() ? "" : ", ", name);
  return text.empty() ? "none" : text;
}

// The dict in which the backbone's tensors stand, where it was found ("state_dict.model"), and the dicts with
// tensors that stood beside it on the way; class centers are read by themselves.
struct StateDict {
  TorchDict dict;
  std::string place;
  std::vector<std::string> left_out;

  bool holds_tensors_under(std::string_view key) const {
    const auto inner = dict.dict(key);
    return inner && inner->holds_tensors();
  }
  void step_down(std::string_view chosen) {
    const std::string prefix = place.empty() ? "" : place + ".";
    for (const std::string_view key : dict.keys()) {
      if (key != chosen && key != kCentersKey && holds_tensors_under(key))
        left_out.push_back(concat(prefix, key));
    }
    place = concat(prefix, chosen);
    dict = *dict.dict(chosen);
  }
};
StateDict find_state_dict(const TorchDict& root) {
  constexpr int kDepth = 4;
  StateDict state{root, "", {}};
  for (int depth = 0; depth < kDepth; ++depth) {
    const auto found = std::ranges::find_if(
        kBackboneKeys, [&](std::string_view key) { return state.holds_tensors_under(key); });
    if (found == kBackboneKeys.end()) break;
    state.step_down(*found);
  }
  return state;
}

[[noreturn]] void refuse_without_tensors(const TorchFile& file) {
  std::string objects;
  for (const auto& [key, maker] : file.root().objects())
    objects += concat(objects.empty() ? "; " : ", ", "'", key, "' is an object of '", maker, "'");
  fail(ErrorKind::kData, file.file().path().string(), ": no state dict: it has the keys ",
       joined(file.root().keys()), "; expected tensors, or a dict of them under ",
       joined({kBackboneKeys.begin(), kBackboneKeys.end()}), objects,
       objects.empty() ? "" : " (of a whole model save model.state_dict())");
}

Weights torch_weights(const fs::path& path) {
  const TorchFile file(path);
  const StateDict state = find_state_dict(file.root());
  Weights weights;
  for (const TensorView& view : state.dict.all_tensors()) weights.tensors.emplace(view.name, to_tensor(view));
  if (weights.tensors.empty()) refuse_without_tensors(file);
  weights.checksum = checksum_hex(file.file().bytes());
  weights.kind = state.place.empty() ? "PyTorch state dict" : "PyTorch file, " + state.place;
  weights.left_out = state.left_out;
  return weights;
}

// The backbone of rank 0. The checksum is that of all ranks' checksums, since they make up the class centers.
Weights rank_folder_weights(const fs::path& folder) {
  const size_t num_ranks = count_ranks(folder);
  Weights weights = torch_weights(rank_path(folder, 0));
  std::string checksums = weights.checksum;
  for (size_t rank = 1; rank < num_ranks; ++rank)
    checksums += checksum_hex(MappedFile(rank_path(folder, rank)).bytes());
  weights.checksum = checksum_hex(as_bytes(checksums));
  weights.kind = concat("rank 0 of ", num_ranks, " of InsightFace");
  return weights;
}

// --- Class centers -----------------------------------------------------------------------------------------

// The class centers of one rank.
struct RankCenters {
  std::shared_ptr<const TorchFile> file;
  TensorView view;  // [rows, D]
  int64_t first = 0;

  int64_t rows() const { return view.shape[0]; }
};

std::optional<RankCenters> open_shard(const fs::path& path) {
  auto file = std::make_shared<const TorchFile>(path);
  const auto dict = file->root().dict(kCentersKey);
  const auto view = dict ? dict->tensor(kCentersName) : std::nullopt;
  if (!view) return std::nullopt;
  if (view->shape.size() != 2 || view->shape[1] < 1)
    fail(ErrorKind::kData, path.string(), ": ", kCentersKey, ".", kCentersName,
         " is no matrix of class centers");
  return RankCenters{std::move(file), *view, 0};
}

at::Tensor read_rows(const std::vector<RankCenters>& shards, std::span<const int64_t> rows) {
  const TensorView& model = shards[0].view;
  at::Tensor result = at::empty({static_cast<int64_t>(rows.size()), model.shape[1]}, scalar_type(model.type));
  const size_t row_size = static_cast<size_t>(model.shape[1]) * element_size(model.type);
  auto* out = static_cast<std::byte*>(result.data_ptr());
  for (const int64_t row : rows) {
    const auto after = std::ranges::upper_bound(shards, row, {}, &RankCenters::first);
    ensure(row >= 0 && after != shards.begin() && row < (after - 1)->first + (after - 1)->rows(),
           "asked-for class centers exist");
    const RankCenters& shard = *(after - 1);
    std::memcpy(out, shard.view.bytes.data() + static_cast<size_t>(row - shard.first) * row_size, row_size);
    out += row_size;
  }
  return result.to(at::kFloat);
}

// Type, width and number of rows are those that PartialFC gives each rank, and all ranks stand at the same
// step.
void check_shards(const std::vector<RankCenters>& shards) {
  const auto num_ranks = static_cast<int64_t>(shards.size());
  const int64_t num_classes = shards.back().first + shards.back().rows();
  const auto step = shards[0].file->root().number("global_step");
  for (int64_t rank = 0; rank < num_ranks; ++rank) {
    const RankCenters& shard = shards[static_cast<size_t>(rank)];
    const std::string place = shard.file->file().path().string();
    const int64_t expected = num_classes / num_ranks + (rank < num_classes % num_ranks ? 1 : 0);
    if (shard.view.type != shards[0].view.type || shard.view.shape[1] != shards[0].view.shape[1])
      fail(ErrorKind::kData, place, ": its class centers are of another type or length than those of rank 0");
    if (shard.rows() != expected)
      fail(ErrorKind::kData, place, ": ", shard.rows(), " class centers, but of ", num_classes, " over ",
           num_ranks, " ranks this one holds ", expected,
           "; the files are of different runs, or some are missing");
    if (shard.file->root().number("global_step") != step)
      fail(ErrorKind::kData, place, ": was saved at another step than that of rank 0");
  }
}

std::optional<ClassCenters> shard_centers(std::vector<RankCenters> shards, std::string kind) {
  int64_t first = 0;
  for (RankCenters& shard : shards) {
    shard.first = first;
    first += shard.rows();
  }
  check_shards(shards);
  ClassCenters centers;
  centers.num_classes = shards.back().first + shards.back().rows();
  centers.dim = shards[0].view.shape[1];
  centers.kind = std::move(kind);
  centers.read = [shards = std::move(shards)](std::span<const int64_t> rows) {
    return read_rows(shards, rows);
  };
  return centers;
}

std::optional<ClassCenters> rank_folder_centers(const fs::path& folder) {
  std::vector<RankCenters> shards;
  const size_t num_ranks = count_ranks(folder);
  for (size_t rank = 0; rank < num_ranks; ++rank) {
    std::optional<RankCenters> shard = open_shard(rank_path(folder, rank));
    if (!shard && rank == 0) return std::nullopt;
    if (!shard)
      fail(ErrorKind::kData, rank_path(folder, rank).string(), ": has no ", kCentersKey,
           ", that of rank 0 has");
    shards.push_back(std::move(*shard));
  }
  return shard_centers(std::move(shards), concat(num_ranks, " rank(s) of InsightFace"));
}

std::optional<ClassCenters> torch_file_centers(const fs::path& path) {
  std::optional<RankCenters> shard = open_shard(path);
  if (!shard) return std::nullopt;
  return shard_centers({std::move(*shard)},
                       "one rank of InsightFace; the folder of all checkpoint_gpu_*.pt has the others'");
}

ClassCenters checkpoint_centers(const fs::path& folder) {
  const Checkpoint checkpoint = open_checkpoint(folder);
  ClassCenters centers;
  centers.num_classes = checkpoint.num_classes();
  centers.dim = checkpoint.read_centers({0, 0}).size(1);
  centers.classes_fingerprint = checkpoint.classes_fingerprint();
  centers.kind = "a checkpoint";
  centers.read = [checkpoint](std::span<const int64_t> rows) {
    if (rows.empty()) return checkpoint.read_centers({0, 0});
    const auto [low, high] = std::ranges::minmax(rows);
    const at::Tensor block = checkpoint.read_centers({low, high + 1});
    const at::Tensor positions = at::tensor(at::ArrayRef<int64_t>(rows.data(), rows.size()), at::kLong) - low;
    return block.index_select(0, positions).to(at::kFloat);
  };
  return centers;
}

Weights onnx_weights(const fs::path& path) {
  const FaceNetwork network = open_face_network(path, "", 1);
  OnnxStateDict found = state_dict_of(network);
  Weights weights{{}, {}, network.file.checksum, "ONNX network"};
  for (auto& [name, array] : found.tensors) {
    const at::Tensor numbers = at::empty(array.shape, at::kFloat);
    std::copy(array.values.begin(), array.values.end(), numbers.data_ptr<float>());
    weights.tensors.emplace(name, numbers);
  }
  weights.metadata[kArchitectureKey] = architecture_json(found.config).dump();
  // First nodes that normalise bytes are in the weights now.
  if (network.range)
    weights.metadata["normalization"] =
        network.range == PixelRange::kBytes ? kNormalization : text_of(*network.range);
  if (network.order) weights.metadata["color_order"] = text_of(*network.order);
  return weights;
}

}  // namespace

Weights read_weights(const fs::path& path) {
  if (is_rank_folder(path)) return rank_folder_weights(path);
  if (const auto index = shard_index(path)) return read_sharded_weights(*index, read_weights);
  if (is_folder(path) && is_distributed_checkpoint(path))
    return read_distributed_weights(path, kBackboneKeys);
  if (is_folder(path)) refuse_foreign_folder(path);
  if (!is_folder(path) && is_torch_file(path)) return torch_weights(path);
  if (!is_folder(path) && weights_format(MappedFile(path)) == WeightsFormat::kOnnx) return onnx_weights(path);
  const SafetensorsFile file =
      is_folder(path) ? checkpoint_layout::open_verified_model(path) : SafetensorsFile(path);
  return {to_tensors(file), file.metadata(), checksum_hex(file.file().bytes()),
          is_folder(path) ? "checkpoint" : "safetensors file"};
}

std::optional<ClassCenters> read_class_centers(const fs::path& path) {
  if (is_rank_folder(path)) return rank_folder_centers(path);
  if (shard_index(path) || is_distributed_checkpoint(path)) return std::nullopt;
  if (is_folder(path)) refuse_foreign_folder(path);
  if (is_folder(path)) return checkpoint_centers(path);
  return is_torch_file(path) ? torch_file_centers(path) : std::nullopt;
}

}  // namespace uir
