#include "uir/data/sources.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "uir/base/error.h"
#include "uir/data/folder_listing.h"
#include "uir/data/list_file.h"
#include "uir/data/loader.h"
#include "uir/data/video_sources.h"
#include "uir/formats/bin_set.h"
#include "uir/formats/recordio.h"
#include "uir/images/decode.h"
#include "uir/images/image_folder.h"

namespace uir {
namespace {

using RowBody = std::function<void(SourceRow)>;

constexpr uint64_t kMaxFileSize = uint64_t{1} << 28;  // of one image

void check_file_size(uint64_t size) {
  if (size > kMaxFileSize) {
    fail(ErrorKind::kData, size, " bytes; an image may have ", kMaxFileSize, "; take it out of the source");
  }
}

ImageFacts facts_unless_known(Bytes encoded, int64_t mtime, const ImageFacts* known) {
  if (known && known->mtime == mtime && known->size == encoded.size()) return *known;
  return facts_of(encoded, mtime);
}

SourceInfo source_info(SourceKind kind, const fs::path& path) {
  SourceInfo info;
  info.kind = kind;
  info.path = path;
  return info;
}

// Landmarks from a CSV beside a folder or list, if there is one.
class SideLandmarks {
 public:
  explicit SideLandmarks(const DataPath& csv) {
    if (!csv.empty()) table_.emplace(csv.value);
  }
  void add_to(SourceRow& row) {
    if (table_) row.landmarks = table_->find(row.item);
  }
  void check_used() const {
    if (table_) table_->check_used();
  }
  bool given() const { return table_.has_value(); }

 private:
  std::optional<LandmarkTable> table_;
};

// --- Folder tree -------------------------------------------------------------------------------------------

class FolderTree : public Source {
 public:
  FolderTree(const FolderSource& config, Role role)
      : files_(config.root.value), landmarks_(config.landmarks), role_(role) {}

  SourceInfo info() const override { return source_info(SourceKind::kFiles, files_.root()); }

  void for_each_row(const RowBody& body) override {
    if (role_ == Role::kUnlabeled) {
      for_each_file(files_.root(), is_image_name, [&](std::string item) { emit(std::move(item), -1, body); });
    } else {
      visit_identities(body);
    }
    landmarks_.check_used();
  }

  ImageFacts examine(const SourceRow& row, const ImageFacts* known) const override {
    return examine_file(files_, row.item, known);
  }
  std::string place(const SourceRow& row) const override { return (files_.root() / row.item).string(); }

 private:
  void emit(std::string item, int64_t identity, const RowBody& body) {
    SourceRow row;
    row.item = std::move(item);
    row.identity = identity;
    landmarks_.add_to(row);
    body(std::move(row));
  }

  void visit_identities(const RowBody& body) {
    const FolderContent root = list_folder(files_.root(), is_image_name);
    if (!root.files.empty()) refuse_layout(root.files.front(), "lies outside any identity's folder");
    for (const std::string& identity : root.folders) {
      const FolderContent content = list_folder(files_.root() / identity, is_image_name);
      if (!content.folders.empty())
        refuse_layout(identity + "/" + content.folders.front(), "is a folder within an identity's folder");
      for (const std::string& image : content.files) {
        int64_t number = -1;
        identities_.add_name(identity, number);
        emit(identity + "/" + image, number, body);
      }
    }
  }

  [[noreturn]] void refuse_layout(const std::string& item, std::string_view what) const {
    fail(ErrorKind::kData, (files_.root() / item).string(), ": ", what,
         "; expected root/<identity>/<image> (use a list for other layouts)");
  }

  ImageFolder files_;
  SideLandmarks landmarks_;
  Role role_;
};

// --- List --------------------------------------------------------------------------------------------------

class List : public Source {
 public:
  List(const ListSource& config, Role role)
      : list_(config.list.value, config.format),
        files_(config.root.value),
        landmarks_(config.landmarks),
        format_(config.format),
        role_(role) {
    if (role == Role::kLabeled && !ListFile::has_labels(format_)) {
      fail(ErrorKind::kConfig, config.list.value, ": lists of format ", enum_name(format_),
           " have no labels; the role must be unlabeled or test");
    }
  }

  SourceInfo info() const override { return source_info(SourceKind::kFiles, files_.root()); }

  void for_each_row(const RowBody& body) override {
    ListEntry entry;
    while (list_.next(entry)) {
      SourceRow row;
      row.item = item_of(entry.path);
      row.where = list_.lines().begin();
      row.landmarks = entry.landmarks;
      if (landmarks_.given()) landmarks_.add_to(row);
      if (role_ != Role::kUnlabeled) row.identity = identity_of(entry.label);
      body(std::move(row));
    }
    landmarks_.check_used();
  }

  ImageFacts examine(const SourceRow& row, const ImageFacts* known) const override {
    return examine_file(files_, row.item, known);
  }
  std::string place(const SourceRow& row) const override { return list_.lines().place_at(row.where); }

 private:
  std::string item_of(std::string_view path) const {
    try {
      return item_in(files_.root(), path);
    } catch (const Error& error) {
      throw error.at(list_.place());
    }
  }

  int64_t identity_of(std::string_view label) {
    if (label.empty() && role_ == Role::kTest) return -1;
    if (label.empty()) list_.lines().refuse("the label is missing");
    int64_t identity = -1;
    bool same_kind = true;
    if (ListFile::labels_are_numbers(format_) || parse_number<double>(label)) {
      const int64_t number = parse_label(list_.lines(), label, role_ == Role::kTest ? -1 : 0);
      if (number < 0) return -1;
      same_kind = identities_.add_number(number, identity);
    } else {
      same_kind = identities_.add_name(label, identity);
    }
    if (!same_kind) {
      list_.lines().refuse("label '", label,
                           "': a list holds either numbers or names, and the lines before hold ",
                           parse_number<double>(label) ? "names" : "numbers");
    }
    return identity;
  }

  ListFile list_;
  ImageFolder files_;
  SideLandmarks landmarks_;
  ListFormat format_;
  Role role_;
};

// --- RecordIO ----------------------------------------------------------------------------------------------

// Labels end where `property` beside the .rec says ("number of classes,112,112"); at 2^24 without one, since
// float32 skips numbers beyond.
int64_t end_of_labels(const fs::path& rec) {
  constexpr int64_t kExactLimit = 1 << 24;
  const fs::path property = rec.parent_path() / "property";
  if (!fs::exists(property)) return kExactLimit;
  const std::string text = read_text_file(property, 1 << 16);
  const auto num_classes = parse_number<int64_t>(std::string_view(text).substr(0, text.find(',')));
  if (!num_classes || *num_classes < 1 || *num_classes > kExactLimit) {
    fail(ErrorKind::kData, property.string(), ": expected 'number of classes,112,112' with 1 to ",
         kExactLimit, " classes");
  }
  return *num_classes;
}

class RecordIo : public Source {
 public:
  RecordIo(const RecordIoSource& config, Role role)
      : path_(config.rec.value), idx_(config.idx.value), file_(path_), role_(role) {
    if (role_ == Role::kLabeled) end_of_labels_ = end_of_labels(path_);
    for (size_t i = 0; i < file_.num_shards(); ++i) mtimes_.push_back(file_mtime(file_.shard_path(i)));
  }

  SourceInfo info() const override { return source_info(SourceKind::kRecordIo, path_); }

  void for_each_row(const RowBody& body) override {
    std::vector<std::byte> buffer;
    for_each_image_record(file_, idx_, [&](const RecordEntry& entry) {
      SourceRow row;
      row.item = file_.num_shards() == 1 ? std::to_string(entry.key) : concat(entry.shard, '/', entry.key);
      row.offset = entry.offset;
      row.where = entry.shard;
      if (role_ != Role::kUnlabeled) row.identity = identity_of(row, file_.record(entry.offset, buffer));
      body(std::move(row));
    });
  }

  ImageFacts examine(const SourceRow& row, const ImageFacts* known) const override {
    thread_local std::vector<std::byte> buffer;
    return facts_unless_known(file_.record(row.offset, buffer).image, mtimes_[row.where], known);
  }

  std::string place(const SourceRow& row) const override {
    return concat(file_.shard_path(row.where).string(), ": record ", row.item, " at offset ",
                  row.offset - file_.shard_begin(row.where));
  }

  void forget(const SourceRow& first, const SourceRow& last) const override {
    if (first.offset < last.offset) file_.drop(first.offset, last.offset);
  }

 private:
  int64_t identity_of(const SourceRow& row, const ImageRecord& record) {
    const float label = record.label();
    if (role_ == Role::kTest && label == -1) return -1;
    if (!(label >= 0 && label < static_cast<float>(end_of_labels_) && std::floor(label) == label)) {
      fail(ErrorKind::kData, place(row), ": label ", label, " is not a whole number in [0, ", end_of_labels_,
           ")");
    }
    int64_t identity = -1;
    identities_.add_number(static_cast<int64_t>(label), identity);
    return identity;
  }

  fs::path path_, idx_;
  RecordFile file_;
  std::vector<int64_t> mtimes_;  // of the shards
  Role role_;
  int64_t end_of_labels_ = 1 << 24;
};

// --- Verification set --------------------------------------------------------------------------------------

class Bin : public Source {
 public:
  explicit Bin(const BinSource& config) : path_(config.file.value), set_(path_), mtime_(file_mtime(path_)) {}

  SourceInfo info() const override { return source_info(SourceKind::kBin, path_); }

  void for_each_row(const RowBody& body) override {
    for (int64_t i = 0; i < set_.num_images(); ++i) {
      SourceRow row;
      row.item = std::to_string(i);
      row.offset = static_cast<uint64_t>(i);
      body(std::move(row));
    }
  }

  ImageFacts examine(const SourceRow& row, const ImageFacts* known) const override {
    return facts_unless_known(set_.image(static_cast<int64_t>(row.offset)), mtime_, known);
  }
  std::string place(const SourceRow& row) const override {
    return concat(path_.string(), ": image ", row.item);
  }

 private:
  fs::path path_;
  BinSet set_;
  int64_t mtime_;
};

// --- Synthetic ---------------------------------------------------------------------------------------------

class Synthetic : public Source {
 public:
  explicit Synthetic(const SyntheticSource& config) : config_(config) {}

  SourceInfo info() const override {
    SourceInfo info;
    info.kind = SourceKind::kSynthetic;
    info.settings = {{"identities", config_.identities},
                     {"images_per_identity", config_.images_per_identity},
                     {"first_identity", config_.first_identity},
                     {"seed", config_.seed}};
    return info;
  }

  void for_each_row(const RowBody& body) override {
    uint64_t number = 0;
    for (int64_t person = config_.first_identity; person < config_.first_identity + config_.identities;
         ++person) {
      const std::string prefix = std::to_string(person) + "/";
      int64_t identity = -1;
      identities_.add_number(person, identity);
      for (int64_t image = 0; image < config_.images_per_identity; ++image) {
        SourceRow row;
        row.item = prefix + std::to_string(image);
        row.identity = identity;
        row.where = number++;
        body(std::move(row));
      }
    }
  }

  ImageFacts examine(const SourceRow& row, const ImageFacts* /*known*/) const override {
    ImageFacts facts;
    facts.size = static_cast<uint32_t>(kImageBytes);
    const auto number = static_cast<int64_t>(row.where);
    facts.hash = synthetic_hash(config_.seed, config_.first_identity + number / config_.images_per_identity,
                                number % config_.images_per_identity);
    facts.pixels = {kImageSize, kImageSize};
    facts.reused = true;
    return facts;
  }
  std::string place(const SourceRow& row) const override { return "synthetic face " + row.item; }

 private:
  SyntheticSource config_;
};

std::unique_ptr<Source> make_source(const FolderSource& config, Role role) {
  return std::make_unique<FolderTree>(config, role);
}
std::unique_ptr<Source> make_source(const ListSource& config, Role role) {
  return std::make_unique<List>(config, role);
}
std::unique_ptr<Source> make_source(const RecordIoSource& config, Role role) {
  return std::make_unique<RecordIo>(config, role);
}
std::unique_ptr<Source> make_source(const SyntheticSource& config, Role) {
  return std::make_unique<Synthetic>(config);
}
std::unique_ptr<Source> make_source(const BinSource& config, Role role) {
  if (role != Role::kTest) fail(ErrorKind::kConfig, "a verification set (type: bin) has the role test only");
  return std::make_unique<Bin>(config);
}
std::unique_ptr<Source> make_source(const FramesSource& config, Role role) {
  return make_frames_source(config, role);
}
std::unique_ptr<Source> make_source(const VideosSource& config, Role role) {
  return make_videos_source(config, role);
}

}  // namespace

ImageFacts facts_of(Bytes encoded, int64_t mtime) {
  check_file_size(encoded.size());
  ImageFacts facts;
  facts.size = static_cast<uint32_t>(encoded.size());
  facts.mtime = mtime;
  facts.hash = content_hash(encoded);
  try {
    const ImageSize size = probe_image(encoded);
    facts.pixels = {static_cast<uint16_t>(size.width), static_cast<uint16_t>(size.height)};
  } catch (const Error& error) {
    facts.unreadable = error.what();
  }
  return facts;
}

ImageFacts examine_file(const ImageFolder& folder, const std::string& item, const ImageFacts* known) {
  const ImageFile file = folder.open(item);
  try {
    const auto [size, mtime] = file.facts();
    if (known && known->mtime == mtime && known->size == size) return *known;
    check_file_size(size);
    thread_local std::vector<std::byte> bytes;
    bytes.resize(size);
    if (file.read(bytes, size) != size) fail(ErrorKind::kIo, "became shorter while it was read");
    return facts_of(bytes, mtime);
  } catch (const Error& error) {
    throw error.at((folder.root() / item).string());
  }
}

std::unique_ptr<Source> open_source(const SourceConfig& config) {
  return std::visit([&](const auto& kind) { return make_source(kind, config.role); }, config.kind);
}

}  // namespace uir
