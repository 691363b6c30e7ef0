// Feature files for the organisers of a challenge, written from an extracted set (uir-extract --format).
//
//   lfr           one .bin: a row per line of the list; of a set of videos, one aggregated row per video (eval/video.h)
//   trillionpairs one .bin: a row per line of the list
//   megaface      a folder with one file per image, <item>_<suffix>.bin
// The embeddings' rows are compared with the source's list first: other items, another order or number is kData, and no
// row is ever filled in. Written row by row from the store, and published whole (base/file.h).
#pragma once

#include <optional>
#include <string>

#include "uir/experiment/experiment.h"

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
  std::string out;                         // empty: <run>/submissions/<set>.bin, or the folder <set>
};

// Before anything is extracted: kConfig for a set that has no such submission, kUsage for an `out` that several sets
// would share, kCannotCreate for a folder in its place that is not empty.
void check_submission(const Experiment& experiment, const std::vector<std::string>& sets,
                      const SubmissionRequest& request);
// Writes the file or folder of one extracted set.
void write_submission(const Experiment& experiment, const std::string& set, const SubmissionRequest& request);

}  // namespace uir
