// RecordIO files of MXNet and InsightFace: reader over a memory map, scanner, and writer.
//
// docs/formats.md ("RecordIO") defines the container, the image header and the two layouts. A path that ends
// in "-00000-of-000NN.rec" stands for all NN shards of a pack: offsets count through the shards as if they
// were one file.
//
// Cost: a record is a view into the map; only records of several parts are copied. Memory is bounded by the
// file.
// Errors: kData naming file and offset for anything malformed; kMissingInput for a missing file or shard.
// Threads: const functions are thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "uir/base/file.h"

namespace uir {

// The 24 bytes in front of every image, and the labels that may follow them.
struct RecordHeader {
  uint32_t flag = 0;  // number of labels that follow; 0: the only label is `label`
  float label = 0;
  uint64_t id = 0, id2 = 0;
};

struct ImageRecord {
  RecordHeader header;
  Bytes labels;  // header.flag float32, maybe unaligned
  Bytes image;
  uint64_t next_offset = 0;  // where the following record begins

  float label(size_t i = 0) const;  // the scalar, or entry i of the array
};

// One .rec file, or all shards of a pack in order.
class RecordFile {
 public:
  explicit RecordFile(const fs::path& path);

  uint64_t size() const { return shard_begin_.back(); }
  size_t num_shards() const { return shards_.size(); }
  uint64_t shard_begin(size_t shard) const { return shard_begin_[shard]; }
  const fs::path& shard_path(size_t shard) const { return shards_[shard].path(); }
  // The record that begins at the offset, which must be one that for_each_image_record or next_offset gave:
  // any other is kData or another record's middle. `buffer` holds it if it had several parts: keep it as long
  // as the record.
  ImageRecord record(uint64_t offset, std::vector<std::byte>& buffer) const;
  // Lets the pages of a range go (flat memory on sequential passes).
  void drop(uint64_t begin, uint64_t end) const;

 private:
  size_t shard_of(uint64_t offset) const;
  std::vector<MappedFile> shards_;
  std::vector<uint64_t> shard_begin_;  // one more than shards
};

// The paths of all shards that a name stands for: itself unless it ends in "-00000-of-000NN.rec".
std::vector<fs::path> shard_paths(const fs::path& rec);
// "<name>-00003-of-00010.rec"
std::string shard_name(const std::string& name, size_t shard, size_t num_shards);

// A record that holds an image.
struct RecordEntry {
  size_t shard = 0;
  uint64_t key = 0;
  uint64_t offset = 0;  // as RecordFile::record takes it
};

// What of the file did not become an image, or did so against what its record 0 says.
struct RecordSurvey {
  int64_t without_image = 0;         // labels, no image, and no record 0 that tells why
  uint64_t first_without_image = 0;  // the key of the first of these
  int64_t behind_end = 0;            // images with keys behind the last one that record 0 announces
  uint64_t end = 0;                  // what it announces: one more than the last key
  uint64_t unnamed_bytes = 0;        // of records that no line of the .idx names
};

// Calls body for every image of the file in the order of the .idx files, or of the file where there is none.
// `idx` may be empty: the .rec's name with .idx.
//
// An image is a record that holds one. Record 0 of InsightFace's layout has labels and no image: it tells
// where images end, but in float32, which skips numbers beyond 2^24; so it only decides about records that
// have labels and no image: damaged images before that end, identities behind it. A record 0 with an image
// is an image like any other, however many labels it has.
// Cost: one look at every record's header. The record is valid within the call.
RecordSurvey for_each_image_record(const RecordFile& file, const fs::path& idx,
                                   const std::function<void(const RecordEntry&, const ImageRecord&)>& body);

// Writes one .rec and its .idx. Not atomic by itself: write into an AtomicFolder. Complete after close()
// only.
class RecordWriter {
 public:
  RecordWriter(const fs::path& rec, const fs::path& idx);
  // A record with a scalar label, or with an array of at least one.
  void write(uint64_t key, float label, Bytes image);
  void write(uint64_t key, std::span<const float> labels, Bytes image);
  void close();
  const OutputFile& rec() const { return rec_; }
  const OutputFile& idx() const { return idx_; }

 private:
  void write_record(uint64_t key, const RecordHeader& header, std::span<const float> labels, Bytes image);
  void write_parts();
  void write_part(uint32_t flag, Bytes payload);
  OutputFile rec_, idx_;
  std::vector<std::byte> payload_;
};

}  // namespace uir
