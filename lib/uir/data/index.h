// data/: sources become an index, a sampler chooses its rows, a loader turns them into batches. How a picture
// is decoded and aligned is the business of images/; how containers are laid out, that of formats/.
//
// The index of a data set: one row per image, one memory-mapped array per column, and a manifest.
// docs/formats.md ("Index") defines the files. Rows stand in source order, so each source is one range of
// rows.
//
// Shapes: N rows; every column has N entries, but those that no row needs have none. Opening costs no reading
// beyond the manifest; Check::kFull reads all files and compares their checksums. Memory stays flat at any N;
// spans and texts live as long as the index or a copy of it (copies share the maps).
// Errors: missing folder kMissingInput; anything inconsistent kData, naming the file and the remedy.
// Threads: const after open.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"
#include "uir/base/row_range.h"
#include "uir/data/config.h"
#include "uir/data/video_facts.h"

namespace uir {

enum IndexFlag : uint32_t {
  kHeldOut = 1,         // kept out of training (SourceConfig::held_out)
  kNotNetworkSize = 2,  // the image is not 112x112: aligned by landmarks if the row has them, else resized
  kHasLandmarks = 4,
  kBad = 8,        // unreadable header, or failed uir-index --verify: never used
  kHasBox = 16,    // the face is a part of the image
  kExcluded = 32,  // left out on request (SourceConfig::exclude, uir-index overlap): never used
};

enum class SourceKind { kFiles, kRecordIo, kBin, kSynthetic, kVideos, kTar };

// False where images are drawn or decoded from something larger.
inline bool has_encoded_images(SourceKind kind) {
  return kind != SourceKind::kSynthetic && kind != SourceKind::kVideos;
}

struct SourceInfo {
  std::string name;
  Role role = Role::kTest;
  SourceKind kind = SourceKind::kFiles;
  // Root folder (kFiles, kVideos), .rec (kRecordIo: for RecordFile), .bin (kBin), pattern (kTar).
  fs::path path;
  std::vector<fs::path> shards;  // kTar: for TarShards; else none
  std::array<int64_t, 2> shift{0, 0};
  int64_t first_row = 0, num_rows = 0;
  int64_t first_class = 0,
          num_classes = 0;  // labels lie in [first_class, first_class + num_classes), or are −1
  Json settings;            // of a synthetic source its SyntheticSource fields; color_order.h
};

// What stands in for the content hash of a synthetic image: nothing is rendered to index it.
ContentHash synthetic_hash(uint64_t seed, int64_t identity, int64_t image);

class Index {
 public:
  enum class Check { kManifest, kFull };  // sizes and the manifest's own checksum, or all files' as well
  static Index open(const fs::path& folder, Check check = Check::kManifest);

  int64_t size() const;
  int64_t num_classes() const;  // labeled identities: labels of labeled rows are 0 … num_classes − 1
  int64_t num_test_identities() const;
  std::span<const SourceInfo> sources() const;
  const SourceInfo& source(std::string_view name) const;  // kConfig listing the known names if absent
  const SourceInfo& source_of_row(int64_t row) const;

  // Where RecordFile::record finds the image (kRecordIo), its number for BinSet::image (kBin), frame and face
  // (kVideos: frame_of_offset), shard and place for TarShards::bytes (kTar), else 0.
  std::span<const uint64_t> offsets() const;
  std::span<const uint32_t> sizes() const;  // bytes of the encoded image; of a video's decoded frame
  // Class of labeled rows, identity within the test sets of test rows, −1: unlabeled or not known.
  std::span<const int64_t> labels() const;
  std::span<const uint32_t> flags() const;  // IndexFlag bits
  // content_hash of the encoded image; see synthetic_hash for synthetic rows, frame_hash for those of videos.
  std::span<const ContentHash> hashes() const;
  std::span<const std::array<float, 10>> landmarks() const;  // x, y of 5 points; empty if no row has any
  std::span<const std::array<float, 4>> boxes() const;  // FaceBox of rows with kHasBox; empty if none has
  // Width, height; 0, 0 where the header is unreadable.
  std::span<const std::array<uint16_t, 2>> pixel_sizes() const;
  // By which rules the images were judged: raised whenever images that were taken are refused from then on,
  // or the other way round. An index of other rules lends its verdicts to no new one. 0: from before this
  // was kept.
  static constexpr uint32_t kPictureRules = 1;
  uint32_t picture_rules() const;
  std::span<const int64_t> mtimes() const;  // of the file that holds the image [ns since 1970]; 0: synthetic
  // Relative path (kFiles), record key ("shard/key" in packs of several), image number (kBin),
  // "person/image", "video/000123" (kVideos), name in the shard (kTar).
  std::string_view item(int64_t row) const;
  // The files of all kVideos sources; none in an index of an older version.
  std::span<const VideoFacts> videos() const;
  std::span<const FrameFacts> video_frames(int64_t video) const;  // all that can be decoded
  std::string_view video_name(int64_t video) const;               // "source/video"
  // As in the source: folder name, label in digits.
  std::string_view identity_name(int64_t class_index) const;
  std::string_view test_identity_name(int64_t identity) const;
  const fs::path& folder() const;

  // Rows that training may use: the role's rows without held-out, bad and excluded ones, in row order.
  std::vector<int64_t> training_rows(Role role) const;
  // Rows of an embedding set: a source's name (all its rows but bad and excluded ones), or
  // "<source>.held_out".
  std::vector<int64_t> set_rows(std::string_view set) const;
  // How many rows of the set are missing there because their images cannot be read.
  int64_t num_bad(std::string_view set) const;
  // Names of all sets that extraction takes by default: test sources, and sources with held-out rows.
  std::vector<std::string> default_sets() const;
  // Identifies the data set: checksum over sources and columns, wherever the files lie and whenever they were
  // written.
  std::string fingerprint() const;
  // Checksum over the labeled sources' names and their identities in class order: equal fingerprints, equal
  // classes.
  std::string classes_fingerprint() const;

 private:
  std::vector<int64_t> rows_of(std::string_view set) const;  // bad and excluded ones, too
  struct Columns;
  std::shared_ptr<const Columns> columns_;
};

}  // namespace uir
