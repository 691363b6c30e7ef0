#include "uir/formats/distributed_checkpoint.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/text.h"
#include "uir/formats/pickle.h"

namespace uir {
namespace {

constexpr std::string_view kMetadata = ".metadata";
constexpr uint64_t kLargestMetadata = uint64_t{1} << 30;
constexpr size_t kMaxRank = 8, kMostPieces = 8192;

// Dataclasses keep their fields; a torch.Size is its tuple; whatever else is made is an object of no meaning.
class MetadataGlobals : public PickleGlobals {
 public:
  std::optional<int64_t> find(Pickle&, std::string_view module, std::string_view name) override {
    if (module == "torch" && name == "Size") return kSize;
    classes_.push_back(std::string(name));
    return kFirstClass + std::ssize(classes_) - 1;
  }
  PickleValue call(Pickle& pickle, int64_t global, const std::vector<Id>& arguments) override {
    if (global == kSize && arguments.size() == 1) return pickle[arguments[0]];
    pickle.spend(sizeof(Object));
    objects_.push_back({global == kSize ? 0 : global - kFirstClass, std::nullopt});
    return {PickleType::kObject, std::ssize(objects_) - 1, {}};
  }
  void build(Pickle& pickle, Id object, Id state) override {
    if (pickle[object].type == PickleType::kObject)
      objects_[static_cast<size_t>(pickle[object].number)].state = state;
  }
  std::string_view verdict() const override { return "not the .metadata of torch.distributed.checkpoint"; }

  // The fields of an object of the class; none for anything else.
  std::optional<Id> fields(const PickleValue& value, std::string_view name) const {
    if (value.type != PickleType::kObject) return std::nullopt;
    const Object& object = objects_[static_cast<size_t>(value.number)];
    const bool named = object.name >= 0 && object.name < std::ssize(classes_) &&
                       classes_[static_cast<size_t>(object.name)] == name;
    return named ? object.state : std::nullopt;
  }

 private:
  static constexpr int64_t kSize = 0, kFirstClass = 1;
  struct Object {
    int64_t name;
    std::optional<Id> state;
  };
  std::vector<std::string> classes_;
  std::vector<Object> objects_;
};

class MetadataReader {
 public:
  MetadataReader(const fs::path& metadata, const fs::path& folder)
      : folder_(folder), path_(metadata), file_(path_), pickle_(file_.bytes(), path_.string(), globals_) {}

  std::vector<DistributedTensor> read() {
    const auto root = globals_.fields(pickle_[pickle_.root()], "Metadata");
    if (!root) refuse("it holds no Metadata");
    std::map<std::string, DistributedTensor> tensors;
    for (const auto& [name, value] : pickle_.entries(pickle_[field(*root, "state_dict_metadata")])) {
      const auto facts = globals_.fields(pickle_[value], "TensorStorageMetadata");
      if (!facts) continue;
      DistributedTensor tensor{std::string(pickle_.text_of(name)), sizes(field(*facts, "size")), {}};
      const std::vector<Id>& chunks = pickle_.elements(pickle_[field(*facts, "chunks")]);
      if (chunks.size() > kMostPieces)
        refuse("tensor '", readable(tensor.name), "' is in ", chunks.size(), " pieces");
      for (const Id chunk : chunks) add_piece(chunk, tensor);
      tensors.emplace(tensor.name, std::move(tensor));
    }
    for (const auto& [index, info] : pickle_.entries(pickle_[field(*root, "storage_data")]))
      place(index, info, tensors);
    std::vector<DistributedTensor> result;
    for (auto& [name, tensor] : tensors) {
      check(tensor);
      result.push_back(std::move(tensor));
    }
    return result;
  }

 private:
  using Id = Pickle::Id;

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(ErrorKind::kData, path_.string(), ": ", parts...);
  }

  std::optional<Id> find(Id fields, std::string_view key) const {
    if (pickle_[fields].type != PickleType::kDict) return std::nullopt;
    for (const auto& [name, value] : pickle_.entries(pickle_[fields])) {
      if (pickle_[name].type == PickleType::kText && pickle_.text_of(name) == key) return value;
    }
    return std::nullopt;
  }
  Id field(Id fields, std::string_view key) const {
    const auto found = find(fields, key);
    if (!found) refuse("a part of it has no '", key, "'");
    return *found;
  }

  std::vector<int64_t> sizes(Id id) const {
    const std::vector<Id>& elements = pickle_.elements(pickle_[id]);
    if (elements.size() > kMaxRank) refuse("a tensor of ", elements.size(), " dimensions");
    std::vector<int64_t> sizes;
    for (const Id element : elements) {
      sizes.push_back(pickle_.number_of(element));
      if (sizes.back() < 0 || sizes.back() > int64_t{1} << 40) refuse("a size of ", sizes.back());
    }
    return sizes;
  }

  void add_piece(Id chunk, DistributedTensor& tensor) const {
    const auto fields = globals_.fields(pickle_[chunk], "ChunkStorageMetadata");
    if (!fields) refuse("tensor '", readable(tensor.name), "': a chunk of another kind");
    tensor.pieces.push_back({sizes(field(*fields, "offsets")), sizes(field(*fields, "sizes")), {}, 0, 0});
  }

  // Where a piece lies: by its tensor's name and its offsets.
  void place(Id index, Id info, std::map<std::string, DistributedTensor>& tensors) const {
    const auto key = globals_.fields(pickle_[index], "MetadataIndex");
    const auto where = globals_.fields(pickle_[info], "_StorageInfo");
    if (!key || !where) refuse("storage of another kind; only checkpoints in files are read");
    const auto found = tensors.find(std::string(pickle_.text_of(field(*key, "fqn"))));
    const auto offset = find(*key, "offset");
    if (found == tensors.end() || !offset || pickle_[*offset].type == PickleType::kNone) return;
    const std::vector<int64_t> offsets = sizes(*offset);
    const auto piece = std::ranges::find(found->second.pieces, offsets, &DistributedTensor::Piece::offsets);
    if (piece == found->second.pieces.end())
      refuse("tensor '", readable(found->first), "': a piece lies where it has none");
    if (const auto transforms = find(*where, "transform_descriptors");
        transforms && pickle_[*transforms].type != PickleType::kNone)
      refuse("tensor '", readable(found->first), "' is compressed; save it without extensions");
    piece->file = pickle_.text_of(field(*where, "relative_path"));
    join_inside(folder_, piece->file);
    const int64_t begin = pickle_.number_of(field(*where, "offset")),
                  length = pickle_.number_of(field(*where, "length"));
    if (begin < 0 || length <= 0)
      refuse("tensor '", readable(found->first), "': a piece at ", begin, " of ", length);
    piece->begin = static_cast<uint64_t>(begin);
    piece->length = static_cast<uint64_t>(length);
  }

  static int64_t volume(const std::vector<int64_t>& sizes) {
    int64_t product = 1;
    for (const int64_t size : sizes) {
      if (__builtin_mul_overflow(product, size, &product)) return -1;
    }
    return product;
  }

  static bool apart(const DistributedTensor::Piece& a, const DistributedTensor::Piece& b) {
    for (size_t d = 0; d < a.sizes.size(); ++d) {
      if (a.offsets[d] + a.sizes[d] <= b.offsets[d] || b.offsets[d] + b.sizes[d] <= a.offsets[d]) return true;
    }
    return false;
  }

  void check(const DistributedTensor& tensor) const {
    int64_t covered = 0;
    for (size_t i = 0; i < tensor.pieces.size(); ++i) {
      const DistributedTensor::Piece& piece = tensor.pieces[i];
      bool inside = piece.sizes.size() == tensor.shape.size() && piece.offsets.size() == tensor.shape.size();
      for (size_t d = 0; inside && d < tensor.shape.size(); ++d)
        inside = piece.offsets[d] + piece.sizes[d] <= tensor.shape[d];
      for (size_t j = 0; inside && j < i; ++j) inside = apart(piece, tensor.pieces[j]);
      if (!inside || piece.file.empty())
        refuse("tensor '", readable(tensor.name), "': its pieces overlap, leave it, or are nowhere");
      covered += volume(piece.sizes);
    }
    if (volume(tensor.shape) < 0 || covered != volume(tensor.shape))
      refuse("tensor '", readable(tensor.name), "': its pieces do not cover it; ranks' files are missing");
  }

  const fs::path folder_, path_;
  const MappedFile file_;
  MetadataGlobals globals_;
  const Pickle pickle_;
};

}  // namespace

bool is_distributed_checkpoint(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / kMetadata, error);
}

std::vector<DistributedTensor> read_distributed_checkpoint(const fs::path& folder) {
  return read_distributed_metadata(folder / kMetadata, folder);
}

std::vector<DistributedTensor> read_distributed_metadata(const fs::path& metadata, const fs::path& folder) {
  std::error_code error;
  const uint64_t size = fs::file_size(metadata, error);
  if (!error && size > kLargestMetadata)
    fail(ErrorKind::kData, metadata.string(), ": ", size, " bytes, more than any checkpoint needs");
  return MetadataReader(metadata, folder).read();
}

}  // namespace uir
