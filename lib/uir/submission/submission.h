// Feature files for the organisers of a challenge, written from an extracted set (uir-extract --format).
//
//   lfr           one .bin: a row per line of the list; of a set of videos, one aggregated row per video
//                 (eval/video.h)
//   trillionpairs one .bin: a row per line of the list
//   megaface      a folder with one file per image, <item>_<suffix>.bin
// The embeddings' rows are compared with the source's list first: other items, another order or number is
// kData, and no row is ever filled in. Written row by row from the store, and published whole (base/file.h).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/data/config.h"
#include "uir/store/embedding_store.h"
#include "uir/submission/config.h"

namespace uir {

enum class SubmissionFormat { kLfr, kTrillionPairs, kMegaFace };
template <>
struct EnumNames<SubmissionFormat> {
  static constexpr std::array<EnumName<SubmissionFormat>, 3> value{
      {{SubmissionFormat::kLfr, "lfr"},
       {SubmissionFormat::kTrillionPairs, "trillionpairs"},
       {SubmissionFormat::kMegaFace, "megaface"}}};
};

struct SubmissionRequest {
  std::optional<SubmissionFormat> format;  // none: nothing is written
  std::string out;  // empty: <set>.bin, or the folder <set>, below the folder of submissions
};

class Submission {
 public:
  // The sets are sources of `data`, which outlives this, as `config` does.
  Submission(const DataConfig& data, const SubmissionConfig& config, SubmissionRequest request);

  // Before anything is extracted: kConfig for a set that has no such submission, and for a flip test where
  // sets are extracted without mirrored embeddings; kUsage for an `out` that several sets would share;
  // kCannotCreate for a folder in its place that is not empty.
  void check(const std::vector<std::string>& sets, bool mirrored) const;
  bool wanted() const { return request_.format.has_value(); }
  // If one is wanted: writes the file or folder of one extracted set. kData for embeddings that do not follow
  // their list, and as eval/video.h and search/canonical.h say; kCannotCreate, kIo. Cost: one pass over the
  // set; of a set of images its list is read, too.
  void write(const std::string& set, const EmbeddingStore& store, const fs::path& folder) const;

 private:
  const SourceConfig& source(const std::string& set) const;
  void check_source(const SourceConfig& source, bool mirrored) const;
  fs::path output(const std::string& set, const fs::path& folder) const;

  const DataConfig& data_;
  const SubmissionConfig& config_;
  const SubmissionRequest request_;
};

}  // namespace uir
