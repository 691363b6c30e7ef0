// Writes the files of an index row by row, in flat memory, and publishes them (docs/formats.md, "Index").
//
// Order of calls: for each source begin_source, add for each row, add_video for each file, end_source; commit
// once at the end. Without commit nothing is left. Labels become final at end_source, when all identities of
// the source are known; so do the held-out rows: an identity keeps at least two images.
// Memory: grows with the number of identities, not of rows. Errors: kCannotCreate, kIo. Threads: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"
#include "uir/data/index_files.h"
#include "uir/data/sources.h"

namespace uir {

// One column: buffers values, since writing and checksumming each alone would cost more than the rest.
template <class T>
class ColumnWriter {
 public:
  explicit ColumnWriter(const fs::path& path) : file_(path) {}
  void add(const T& value) {
    values_.push_back(value);
    if (values_.size() == kBuffered) flush();
  }
  void close() {
    flush();
    file_.close();
  }
  const OutputFile& file() const { return file_; }

 private:
  static constexpr size_t kBuffered = 1 << 14;
  void flush() {
    file_.write_values(std::span<const T>(values_));
    values_.clear();
  }
  OutputFile file_;
  std::vector<T> values_;
};

// Names: where each begins, and their text.
class NameWriter {
 public:
  explicit NameWriter(const fs::path& stem);
  void add(std::string_view name);
  void close();
  const OutputFile& begins() const { return begins_.file(); }
  const OutputFile& text() const { return text_; }

 private:
  ColumnWriter<uint64_t> begins_;
  OutputFile text_;
  std::string buffer_;
  uint64_t end_ = 0;
};

class IndexWriter {
 public:
  explicit IndexWriter(const fs::path& folder);

  // Rows until end_source belong to this source. held_out: share of its images to keep out of training.
  void begin_source(SourceInfo info, double held_out);
  void add(const SourceRow& row, const ImageFacts& facts, uint32_t flags);
  // A file of the source that is being written.
  void add_video(std::string_view name, const SurveyedVideo& video);
  void end_source(IdentityTable& identities);
  int64_t rows_of_source() const { return info_.num_rows; }  // so far
  void commit();

 private:
  template <class T>
  void add_optional(std::optional<ColumnWriter<T>>& column, std::string_view name,
                    const std::optional<T>& value);
  void finish_rows(const std::vector<int64_t>& final_identity);
  void record(const OutputFile& file);

  AtomicFolder folder_;
  IndexManifest manifest_;
  ColumnWriter<uint64_t> offsets_;
  ColumnWriter<uint32_t> sizes_;
  ColumnWriter<int64_t> labels_;
  ColumnWriter<uint32_t> flags_;
  ColumnWriter<ContentHash> hashes_;
  ColumnWriter<std::array<uint16_t, 2>> pixel_sizes_;
  ColumnWriter<int64_t> mtimes_;
  std::optional<ColumnWriter<Landmarks>> landmarks_;  // from the first row that has any
  std::optional<ColumnWriter<FaceBox>> boxes_;
  NameWriter items_;
  std::optional<ColumnWriter<VideoFacts>> videos_;  // from the first one
  std::optional<ColumnWriter<FrameFacts>> video_frames_;
  std::optional<NameWriter> video_names_;

  SourceInfo info_;
  double held_out_ = 0;
  std::optional<ColumnWriter<int64_t>> provisional_identities_;
  std::optional<ColumnWriter<uint32_t>> provisional_flags_;
  std::vector<std::string> class_names_, test_names_;
};

}  // namespace uir
