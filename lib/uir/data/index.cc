#include "uir/data/index.h"

#include <algorithm>
#include <cstring>

#include "uir/base/error.h"
#include "uir/config/names.h"
#include "uir/data/index_files.h"

namespace uir {
namespace {

// Names of rows: offsets and text. Bounds are checked on every access, so that a damaged file cannot be
// overread.
class NameColumn {
 public:
  NameColumn() = default;
  NameColumn(MappedFile offsets, MappedFile text) : offsets_(std::move(offsets)), text_(std::move(text)) {}

  std::string_view operator[](int64_t i) const {
    uint64_t range[2];
    std::memcpy(range, offsets_.bytes().data() + i * 8, sizeof range);
    if (range[0] > range[1] || range[1] > text_.bytes().size()) {
      fail(ErrorKind::kData, offsets_.path().string(), ": name ", i,
           " lies outside the text; rebuild with uir-index");
    }
    return as_text(text_.bytes()).substr(range[0], range[1] - range[0]);
  }
  void check(int64_t n) const {
    for (int64_t i = 0; i < n; ++i) (*this)[i];
  }

 private:
  MappedFile offsets_, text_;
};

template <class T>
std::span<const T> values(const MappedFile& file) {
  return {reinterpret_cast<const T*>(file.bytes().data()), file.bytes().size() / sizeof(T)};
}

// Opens the files that a manifest names, comparing their sizes (and checksums) with it.
class FolderReader {
 public:
  FolderReader(fs::path folder, const IndexManifest& manifest, Index::Check check)
      : folder_(std::move(folder)), manifest_(manifest), check_(check) {}

  bool has(std::string_view name) const { return find(name) != nullptr; }

  MappedFile open(std::string_view name) const {
    const IndexManifest::File* file = find(name);
    if (!file)
      fail(ErrorKind::kData, folder_.string(), ": the manifest does not name ", name,
           "; rebuild with uir-index");
    MappedFile map(folder_ / name);
    if (map.bytes().size() != file->bytes) {
      fail(ErrorKind::kData, map.path().string(), ": ", map.bytes().size(), " bytes, the manifest says ",
           file->bytes, "; rebuild with uir-index");
    }
    if (check_ == Index::Check::kFull && checksum_hex(map.bytes()) != file->checksum) {
      fail(ErrorKind::kData, map.path().string(), ": damaged: checksum ", checksum_hex(map.bytes()),
           ", the manifest says ", file->checksum, "; rebuild with uir-index");
    }
    return map;
  }

  // A column of `rows` values of `width` bytes.
  MappedFile open_column(std::string_view name, int64_t rows, uint64_t width) const {
    MappedFile map = open(name);
    if (map.bytes().size() != static_cast<uint64_t>(rows) * width) {
      fail(ErrorKind::kData, map.path().string(), ": ", map.bytes().size(), " bytes, expected ", rows,
           " rows of ", width, "; rebuild with uir-index");
    }
    return map;
  }

  MappedFile open_optional(std::string_view name, int64_t rows, uint64_t width) const {
    return has(name) ? open_column(name, rows, width) : MappedFile();
  }

  NameColumn open_names(std::string_view name, int64_t n) const {
    return {open_column(std::string(name) + ".u64", n + 1, 8), open(std::string(name) + ".text")};
  }

 private:
  const IndexManifest::File* find(std::string_view name) const {
    for (const auto& file : manifest_.files) {
      if (file.name == name) return &file;
    }
    return nullptr;
  }

  fs::path folder_;
  const IndexManifest& manifest_;
  Index::Check check_;
};

}  // namespace

struct Index::Columns {
  Columns(const fs::path& path, Check check) : folder(path), manifest(IndexManifest::read(path)) {
    const FolderReader reader(path, manifest, check);
    const int64_t rows = manifest.rows;
    offsets = reader.open_column(index_files::kOffsets, rows, 8);
    sizes = reader.open_column(index_files::kSizes, rows, 4);
    labels = reader.open_column(index_files::kLabels, rows, 8);
    flags = reader.open_column(index_files::kFlags, rows, 4);
    hashes = reader.open_column(index_files::kHashes, rows, 16);
    pixel_sizes = reader.open_optional(index_files::kPixelSizes, rows, 4);
    mtimes = reader.open_optional(index_files::kMtimes, rows, 8);
    landmarks = reader.open_optional(index_files::kLandmarks, rows, 40);
    boxes = reader.open_optional(index_files::kBoxes, rows, 16);
    rules = reader.open_optional(index_files::kRules, 1, 4);
    items = reader.open_names(index_files::kItems, rows);
    if (reader.has(index_files::kVideoFacts)) {
      const uint64_t num_videos = reader.open(index_files::kVideoFacts).bytes().size() / sizeof(VideoFacts);
      videos =
          reader.open_column(index_files::kVideoFacts, static_cast<int64_t>(num_videos), sizeof(VideoFacts));
      video_names = reader.open_names(index_files::kVideoNames, static_cast<int64_t>(num_videos));
      open_video_frames(reader);
    }
    const int64_t num_identities = manifest.num_classes + manifest.num_test_identities;
    identities = reader.open_names(index_files::kIdentities, num_identities);
    if (check == Check::kFull) {
      items.check(rows);
      identities.check(num_identities);
      check_labels();
    }
  }

  void open_video_frames(const FolderReader& reader) {
    const uint64_t room = reader.open(index_files::kVideoFrames).bytes().size() / sizeof(FrameFacts);
    first_frames.push_back(0);
    for (const VideoFacts& video : values<VideoFacts>(videos)) {
      const auto left = static_cast<int64_t>(room) - first_frames.back();
      if (video.frames < 0 || video.frames > left) {
        fail(ErrorKind::kData, videos.path().string(), ": ", video.frames, " frames of a video, ",
             index_files::kVideoFrames, " has ", left, " more; rebuild with uir-index");
      }
      first_frames.push_back(first_frames.back() + video.frames);
    }
    video_frames = reader.open_column(index_files::kVideoFrames, first_frames.back(), sizeof(FrameFacts));
  }

  void check_labels() const {
    for (const SourceInfo& source : manifest.sources) {
      for (int64_t row = source.first_row; row < source.first_row + source.num_rows; ++row)
        check_label(source, row);
    }
  }

  void check_label(const SourceInfo& source, int64_t row) const {
    const int64_t label = values<int64_t>(labels)[static_cast<size_t>(row)];
    const bool inside = label >= source.first_class && label < source.first_class + source.num_classes;
    if (inside || (label == -1 && source.role != Role::kLabeled)) return;
    fail(ErrorKind::kData, labels.path().string(), ": row ", row, ": label ", label, " is outside [",
         source.first_class, ", ", source.first_class + source.num_classes, ") of source '", source.name,
         "'; rebuild with uir-index");
  }

  fs::path folder;
  IndexManifest manifest;
  MappedFile offsets, sizes, labels, flags, hashes, pixel_sizes, mtimes, landmarks, boxes, rules, videos,
      video_frames;
  std::vector<int64_t> first_frames;  // of each video, and behind the last
  NameColumn items, identities, video_names;
};

ContentHash synthetic_hash(uint64_t seed, int64_t identity, int64_t image) {
  const std::array<uint64_t, 3> key{seed, static_cast<uint64_t>(identity), static_cast<uint64_t>(image)};
  return content_hash(std::as_bytes(std::span(key)));
}

Index Index::open(const fs::path& folder, Check check) {
  Index index;
  index.columns_ = std::make_shared<const Columns>(folder, check);
  return index;
}

int64_t Index::size() const { return columns_->manifest.rows; }
int64_t Index::num_classes() const { return columns_->manifest.num_classes; }
int64_t Index::num_test_identities() const { return columns_->manifest.num_test_identities; }
std::span<const SourceInfo> Index::sources() const { return columns_->manifest.sources; }
const fs::path& Index::folder() const { return columns_->folder; }

const SourceInfo& Index::source(std::string_view name) const {
  std::string known;
  for (const SourceInfo& source : sources()) {
    if (source.name == name) return source;
    known += (known.empty() ? "" : ", ") + source.name;
  }
  fail(ErrorKind::kConfig, "no source '", name, "' in the index ", columns_->folder.string(),
       "; it has: ", known);
}

const SourceInfo& Index::source_of_row(int64_t row) const {
  ensure(row >= 0 && row < size(), "row inside the index");
  const auto after =
      std::upper_bound(sources().begin(), sources().end(), row,
                       [](int64_t r, const SourceInfo& source) { return r < source.first_row; });
  return *(after - 1);
}

std::span<const uint64_t> Index::offsets() const { return values<uint64_t>(columns_->offsets); }
std::span<const uint32_t> Index::sizes() const { return values<uint32_t>(columns_->sizes); }
std::span<const int64_t> Index::labels() const { return values<int64_t>(columns_->labels); }
std::span<const uint32_t> Index::flags() const { return values<uint32_t>(columns_->flags); }
std::span<const ContentHash> Index::hashes() const { return values<ContentHash>(columns_->hashes); }
std::span<const std::array<float, 10>> Index::landmarks() const {
  return values<std::array<float, 10>>(columns_->landmarks);
}
std::span<const std::array<float, 4>> Index::boxes() const {
  return values<std::array<float, 4>>(columns_->boxes);
}
std::span<const std::array<uint16_t, 2>> Index::pixel_sizes() const {
  return values<std::array<uint16_t, 2>>(columns_->pixel_sizes);
}
uint32_t Index::picture_rules() const {
  const std::span rules = values<uint32_t>(columns_->rules);
  return rules.empty() ? 0 : rules.front();
}
std::span<const int64_t> Index::mtimes() const { return values<int64_t>(columns_->mtimes); }

std::span<const VideoFacts> Index::videos() const { return values<VideoFacts>(columns_->videos); }

std::span<const FrameFacts> Index::video_frames(int64_t video) const {
  ensure(video >= 0 && video < static_cast<int64_t>(videos().size()), "video inside the index");
  const std::vector<int64_t>& first = columns_->first_frames;
  const auto i = static_cast<size_t>(video);
  return values<FrameFacts>(columns_->video_frames)
      .subspan(static_cast<size_t>(first[i]), static_cast<size_t>(first[i + 1] - first[i]));
}

std::string_view Index::video_name(int64_t video) const {
  ensure(video >= 0 && video < static_cast<int64_t>(videos().size()), "video inside the index");
  return columns_->video_names[video];
}

std::string_view Index::item(int64_t row) const {
  ensure(row >= 0 && row < size(), "row inside the index");
  return columns_->items[row];
}

std::string_view Index::identity_name(int64_t class_index) const {
  ensure(class_index >= 0 && class_index < num_classes(), "class inside the index");
  return columns_->identities[class_index];
}

std::string_view Index::test_identity_name(int64_t identity) const {
  ensure(identity >= 0 && identity < num_test_identities(), "test identity inside the index");
  return columns_->identities[num_classes() + identity];
}

std::vector<int64_t> Index::training_rows(Role role) const {
  std::vector<int64_t> rows;
  for (const SourceInfo& source : sources()) {
    if (source.role != role) continue;
    for (int64_t row = source.first_row; row < source.first_row + source.num_rows; ++row) {
      columns_->check_label(source, row);
      if ((flags()[static_cast<size_t>(row)] & (kHeldOut | kBad | kExcluded)) == 0) rows.push_back(row);
    }
  }
  return rows;
}

std::vector<int64_t> Index::set_rows(std::string_view set) const {
  std::vector<int64_t> rows;
  for (const int64_t row : rows_of(set)) {
    if (!(flags()[static_cast<size_t>(row)] & (kBad | kExcluded))) rows.push_back(row);
  }
  return rows;
}

int64_t Index::num_bad(std::string_view set) const {
  return std::ranges::count_if(rows_of(set), [&](int64_t row) {
    return (flags()[static_cast<size_t>(row)] & (kBad | kExcluded)) == kBad;
  });
}

std::vector<int64_t> Index::rows_of(std::string_view set) const {
  const SetName name = parse_set_name(set);
  const SourceInfo& from = source(name.source);
  std::vector<int64_t> rows;
  for (int64_t row = from.first_row; row < from.first_row + from.num_rows; ++row) {
    if (!name.held_out || (flags()[static_cast<size_t>(row)] & kHeldOut)) rows.push_back(row);
  }
  return rows;
}

std::vector<std::string> Index::default_sets() const {
  std::vector<std::string> sets;
  for (const SourceInfo& source : sources()) {
    const auto of_source =
        flags().subspan(static_cast<size_t>(source.first_row), static_cast<size_t>(source.num_rows));
    if (source.role == Role::kTest) {
      sets.push_back(source.name);
    } else if (std::any_of(of_source.begin(), of_source.end(),
                           [](uint32_t flag) { return flag & kHeldOut; })) {
      sets.push_back(source.name + std::string(kHeldOutSuffix));
    }
  }
  return sets;
}

std::string Index::fingerprint() const { return columns_->manifest.fingerprint(); }

std::string Index::classes_fingerprint() const {
  Checksum checksum;
  for (const SourceInfo& source : sources()) {
    if (source.role != Role::kLabeled) continue;
    checksum.add(as_bytes(source.name + "\n"));
    for (int64_t i = source.first_class; i < source.first_class + source.num_classes; ++i) {
      checksum.add(as_bytes(identity_name(i)));
      checksum.add(as_bytes("\n"));
    }
  }
  return checksum_hex(checksum.value());
}

}  // namespace uir
