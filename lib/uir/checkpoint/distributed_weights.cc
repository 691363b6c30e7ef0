#include "uir/checkpoint/distributed_weights.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/text.h"
#include "uir/formats/distributed_checkpoint.h"
#include "uir/formats/torch_file.h"

namespace uir {
namespace {

// The ranks' files, each mapped once.
class RankFiles {
 public:
  explicit RankFiles(const fs::path& folder) : folder_(folder) {}

  at::Tensor read(const DistributedTensor& tensor, const DistributedTensor::Piece& piece) {
    const Bytes bytes = open(piece.file).bytes();
    const std::string place =
        concat((folder_ / piece.file).string(), ": tensor '", readable(tensor.name), "'");
    if (piece.begin > bytes.size() || piece.length > bytes.size() - piece.begin)
      fail(ErrorKind::kData, place, " reaches beyond the end; the file is truncated");
    // Pieces that share bytes would need more memory than the files have.
    taken_[piece.file] += piece.length;
    if (taken_[piece.file] > bytes.size()) fail(ErrorKind::kData, place, ": pieces lie one over the other");
    const TorchFile file(bytes.subspan(piece.begin, piece.length), place);
    const auto view = file.tensor();
    if (!view) fail(ErrorKind::kData, place, ": no tensor lies there");
    if (view->shape != piece.sizes)
      fail(ErrorKind::kData, place, ": it has another shape than .metadata says");
    return to_tensor(*view);
  }
  std::string checksum() const {
    std::string all;
    for (const auto& [name, file] : files_) all += concat(name, checksum_hex(file->bytes()));
    return checksum_hex(as_bytes(all));
  }

 private:
  const MappedFile& open(const std::string& name) {
    std::unique_ptr<MappedFile>& file = files_[name];
    if (file) return *file;
    const fs::path path = join_inside(folder_, name);
    if (!fs::exists(path))
      fail(ErrorKind::kMissingInput, folder_.string(), ": .metadata names '", readable(name),
           "', which is not there");
    file = std::make_unique<MappedFile>(path);
    return *file;
  }

  const fs::path folder_;
  std::map<std::string, std::unique_ptr<MappedFile>> files_;
  std::map<std::string, uint64_t> taken_;  // bytes of each
};

at::Tensor assembled(const DistributedTensor& tensor, RankFiles& files) {
  std::vector<at::Tensor> parts;  // all are there before memory for the whole is taken
  for (const DistributedTensor::Piece& piece : tensor.pieces) parts.push_back(files.read(tensor, piece));
  if (parts.size() == 1) return parts.front();
  const at::Tensor whole = at::empty(tensor.shape, parts.front().options());
  for (size_t i = 0; i < parts.size(); ++i) {
    const DistributedTensor::Piece& piece = tensor.pieces[i];
    const at::Tensor& part = parts[i];
    if (part.scalar_type() != whole.scalar_type())
      fail(ErrorKind::kData, "tensor '", readable(tensor.name), "': its pieces are of several types");
    at::Tensor target = whole;
    for (size_t d = 0; d < piece.sizes.size(); ++d)
      target = target.narrow(static_cast<int64_t>(d), piece.offsets[d], piece.sizes[d]);
    target.copy_(part);
  }
  return whole;
}

}  // namespace

Weights read_distributed_weights(const fs::path& folder, std::span<const std::string_view> backbone_keys) {
  const std::vector<DistributedTensor> tensors = read_distributed_checkpoint(folder);
  const auto under = [&](std::string_view key) {
    return std::ranges::any_of(tensors, [&](const auto& t) { return t.name.starts_with(concat(key, ".")); });
  };
  const auto chosen = std::ranges::find_if(backbone_keys, under);
  const std::string prefix = chosen == backbone_keys.end() ? "" : concat(*chosen, ".");
  Weights weights;
  RankFiles files(folder);
  std::set<std::string> left_out;
  for (const DistributedTensor& tensor : tensors) {
    if (tensor.pieces.empty()) continue;  // of no elements
    if (tensor.name.starts_with(prefix)) {
      weights.tensors.emplace(tensor.name.substr(prefix.size()), assembled(tensor, files));
    } else {
      left_out.insert(tensor.name.substr(0, tensor.name.find('.')));
    }
  }
  if (weights.tensors.empty()) fail(ErrorKind::kData, folder.string(), ": the checkpoint holds no tensors");
  weights.left_out.assign(left_out.begin(), left_out.end());
  weights.checksum = files.checksum();
  weights.kind = chosen == backbone_keys.end() ? "distributed checkpoint of PyTorch"
                                               : concat("distributed checkpoint of PyTorch, ", *chosen);
  return weights;
}

}  // namespace uir
