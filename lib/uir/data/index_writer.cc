#include "uir/data/index_writer.h"

#include <utility>

#include "uir/base/error.h"
#include "uir/base/random.h"

namespace uir {
namespace {

constexpr size_t kTextBuffer = 1 << 16;
constexpr int64_t kMinImagesToHoldOut = 3, kMinImagesLeft = 2;
constexpr std::string_view kProvisionalIdentities = "provisional.identities";
constexpr std::string_view kProvisionalFlags = "provisional.flags";

// A number in [0, 1) that belongs to the image for good: it stays on its side when others come or go.
double held_out_draw(const std::string& source, const std::string& item) {
  const uint64_t hash = checksum64(as_bytes(concat(source, '\n', item)));
  return static_cast<double>(mix64(hash) >> 11) * 0x1.0p-53;
}

}  // namespace

NameWriter::NameWriter(const fs::path& stem)
    : begins_(fs::path(stem) += ".u64"), text_(fs::path(stem) += ".text") {
  begins_.add(0);
}

void NameWriter::add(std::string_view name) {
  buffer_ += name;
  end_ += name.size();
  begins_.add(end_);
  if (buffer_.size() < kTextBuffer) return;
  text_.write(buffer_);
  buffer_.clear();
}

void NameWriter::close() {
  text_.write(buffer_);
  text_.close();
  begins_.close();
}

IndexWriter::IndexWriter(const fs::path& folder)
    : folder_(folder),
      offsets_(folder_.path() / index_files::kOffsets),
      sizes_(folder_.path() / index_files::kSizes),
      labels_(folder_.path() / index_files::kLabels),
      flags_(folder_.path() / index_files::kFlags),
      hashes_(folder_.path() / index_files::kHashes),
      pixel_sizes_(folder_.path() / index_files::kPixelSizes),
      mtimes_(folder_.path() / index_files::kMtimes),
      items_(folder_.path() / index_files::kItems) {}

void IndexWriter::begin_source(SourceInfo info, double held_out) {
  info_ = std::move(info);
  info_.first_row = manifest_.rows;
  info_.num_rows = 0;
  held_out_ = held_out;
  provisional_identities_.emplace(folder_.path() / kProvisionalIdentities);
  provisional_flags_.emplace(folder_.path() / kProvisionalFlags);
}

void IndexWriter::add(const SourceRow& row, const ImageFacts& facts, uint32_t flags) {
  offsets_.add(row.offset);
  sizes_.add(facts.size);
  hashes_.add(facts.hash);
  pixel_sizes_.add(facts.pixels);
  mtimes_.add(facts.mtime);
  items_.add(row.item);
  add_optional(landmarks_, index_files::kLandmarks, row.landmarks);
  add_optional(boxes_, index_files::kBoxes, row.box);
  if (row.landmarks) flags |= kHasLandmarks;
  if (row.box) flags |= kHasBox;
  if (held_out_ > 0 && held_out_draw(info_.name, row.item) < held_out_) flags |= kHeldOut;
  provisional_flags_->add(flags);
  provisional_identities_->add(row.identity);
  ++manifest_.rows;
  ++info_.num_rows;
}

void IndexWriter::add_video(std::string_view name, const SurveyedVideo& video) {
  if (!videos_) {
    videos_.emplace(folder_.path() / index_files::kVideoFacts);
    video_frames_.emplace(folder_.path() / index_files::kVideoFrames);
    video_names_.emplace(folder_.path() / index_files::kVideoNames);
  }
  videos_->add(video.facts);
  for (const FrameFacts& frame : video.frames) video_frames_->add(frame);
  video_names_->add(concat(info_.name, '/', name));
}

// A column that begins with the first row that has a value; rows without one get zeros.
template <class T>
void IndexWriter::add_optional(std::optional<ColumnWriter<T>>& column, std::string_view name,
                               const std::optional<T>& value) {
  if (!column && !value) return;
  if (!column) {
    column.emplace(folder_.path() / name);
    for (int64_t i = 0; i < manifest_.rows; ++i) column->add({});
  }
  column->add(value.value_or(T{}));
}

void IndexWriter::end_source(IdentityTable& identities) {
  provisional_identities_->close();
  provisional_flags_->close();
  const bool unlabeled = info_.role == Role::kUnlabeled;
  std::vector<std::string>& names = info_.role == Role::kTest ? test_names_ : class_names_;
  info_.first_class = static_cast<int64_t>(names.size());
  std::vector<int64_t> final_identity;
  if (!unlabeled) {
    final_identity = identities.sort();
    info_.num_classes = static_cast<int64_t>(identities.names().size());
    names.insert(names.end(), identities.names().begin(), identities.names().end());
  }
  finish_rows(final_identity);
  manifest_.sources.push_back(info_);
}

// Labels and held-out flags: they need all identities of the source and how many images each has.
void IndexWriter::finish_rows(const std::vector<int64_t>& final_identity) {
  const fs::path identities_path = folder_.path() / kProvisionalIdentities,
                 flags_path = folder_.path() / kProvisionalFlags;
  const MappedFile identities_file(identities_path), flags_file(flags_path);
  const std::span identities(reinterpret_cast<const int64_t*>(identities_file.bytes().data()),
                             static_cast<size_t>(info_.num_rows));
  const std::span flags(reinterpret_cast<const uint32_t*>(flags_file.bytes().data()),
                        static_cast<size_t>(info_.num_rows));

  std::vector<int64_t> may_hold_out(final_identity.size(),
                                    0);  // images of each identity that may still be held out
  for (const int64_t identity : identities) {
    if (identity >= 0) ++may_hold_out[static_cast<size_t>(identity)];
  }
  for (int64_t& count : may_hold_out) count = count >= kMinImagesToHoldOut ? count - kMinImagesLeft : 0;

  for (size_t i = 0; i < identities.size(); ++i) {
    const int64_t identity = identities[i];
    uint32_t flag = flags[i];
    if (identity >= 0 && (flag & kHeldOut) && --may_hold_out[static_cast<size_t>(identity)] < 0)
      flag &= ~uint32_t{kHeldOut};
    labels_.add(identity < 0 ? -1 : info_.first_class + final_identity[static_cast<size_t>(identity)]);
    flags_.add(flag);
  }
  fs::remove(identities_path);
  fs::remove(flags_path);
}

void IndexWriter::record(const OutputFile& file) {
  manifest_.files.push_back({file.path().filename().string(), file.size(), checksum_hex(file.checksum())});
}

void IndexWriter::commit() {
  manifest_.num_classes = static_cast<int64_t>(class_names_.size());
  manifest_.num_test_identities = static_cast<int64_t>(test_names_.size());
  NameWriter identities(folder_.path() / index_files::kIdentities);
  for (const std::string& name : class_names_) identities.add(name);
  for (const std::string& name : test_names_) identities.add(name);

  const auto finish = [&](auto& column) {
    column.close();
    record(column.file());
  };
  finish(offsets_);
  finish(sizes_);
  finish(labels_);
  finish(flags_);
  finish(hashes_);
  finish(pixel_sizes_);
  finish(mtimes_);
  ColumnWriter<uint32_t> rules(folder_.path() / index_files::kRules);
  rules.add(Index::kPictureRules);
  finish(rules);
  if (landmarks_) finish(*landmarks_);
  if (boxes_) finish(*boxes_);
  if (videos_) finish(*videos_);
  if (video_frames_) finish(*video_frames_);
  for (NameWriter* names : {&items_, &identities, video_names_ ? &*video_names_ : nullptr}) {
    if (!names) continue;
    names->close();
    record(names->begins());
    record(names->text());
  }
  write_manifest(folder_.path(), manifest_);
  folder_.commit();
}

}  // namespace uir
