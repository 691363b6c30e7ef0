// Sources whose images stand in larger files: RecordIO and verification sets.
#include <cmath>
#include <string_view>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/quoting.h"
#include "uir/data/source_kinds.h"
#include "uir/formats/bin_set.h"
#include "uir/formats/recordio.h"
#include "uir/formats/text_lines.h"

namespace uir {
namespace {

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
    const auto emit = [&](const RecordEntry& entry, const ImageRecord& record) {
      SourceRow row;
      row.item = file_.num_shards() == 1 ? std::to_string(entry.key) : concat(entry.shard, '/', entry.key);
      row.offset = entry.offset;
      row.where = entry.shard;
      if (role_ != Role::kUnlabeled) row.identity = identity_of(row, record);
      body(std::move(row));
    };
    warn(for_each_image_record(file_, idx_, emit));
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
  void warn(const RecordSurvey& survey) const {
    if (survey.without_image > 0) {
      log_warning(path_.string(), ": ", survey.without_image, " records (the first: key ",
                  survey.first_without_image,
                  ") have labels and no image, and are left out; are they InsightFace's records of "
                  "identities, and the .idx lacks its key 0?");
    }
    if (survey.behind_end > 0) {
      log_warning(path_.string(), ": record 0 says that images end before key ", survey.end, ", but ",
                  survey.behind_end, " records behind it hold images, and are taken");
    }
    if (survey.unnamed_bytes > 0) {
      log_warning(path_.string(), ": its .idx names no record in ", survey.unnamed_bytes, " of its ",
                  file_.size(), " bytes: what lies there is left out (without an .idx the file is scanned)");
    }
  }

  int64_t identity_of(const SourceRow& row, const ImageRecord& record) {
    const float label = record.label();
    if (role_ == Role::kTest && label == -1) return -1;
    if (!(label >= 0 && label < static_cast<float>(end_of_labels_) && std::floor(label) == label)) {
      fail(ErrorKind::kData, place(row), ": label ", label, " is not a whole number in [0, ", end_of_labels_,
           ")", label >= 0 ? property_remedy() : "");
    }
    int64_t identity = -1;
    identities_.add_number(static_cast<int64_t>(label), identity);
    return identity;
  }

  // Labels may have gaps, so a count of classes is often written where their end is meant.
  std::string property_remedy() const {
    const fs::path property = path_.parent_path() / "property";
    if (!fs::exists(property)) return {};
    return concat(", as ", property.string(),
                  " says; if its number counts classes whose labels have gaps, leave it out:\n    mv ",
                  shell_quoted(property.string()), " ", shell_quoted(property.string() + ".wrong"));
  }

  fs::path path_, idx_;
  RecordFile file_;
  std::vector<int64_t> mtimes_;  // of the shards
  Role role_;
  int64_t end_of_labels_ = 1 << 24;
};

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

}  // namespace

std::unique_ptr<Source> make_source(const RecordIoSource& config, Role role) {
  return std::make_unique<RecordIo>(config, role);
}
std::unique_ptr<Source> make_source(const BinSource& config, Role role) {
  if (role != Role::kTest) fail(ErrorKind::kConfig, "a verification set (type: bin) has the role test only");
  return std::make_unique<Bin>(config);
}

}  // namespace uir
