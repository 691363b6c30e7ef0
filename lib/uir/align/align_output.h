// The folder that alignment writes: faces, and tables of what was found and what was not; resumable.
//
//   <faces>          as the aligner names them
//   landmarks.tsv    per face: path, box, score, five points, name of the face; a header names the columns
//   not_found.txt    path<TAB>reason of every picture without a face
//   filelist.txt     of videos: video and number of faces, the list of a `frames` source
//   align.json       settings, counts, how far it got, files that were left out
// Work goes on in "<out>.partial", which gets its name when all is done. Progress is saved now and then:
// everything before it is on the disk then, what came after is done again. So a resumed run leaves the same
// bytes as one in one go.
// Errors: kUsage where something stands there already, or was made with other settings; kData for a damaged
// partial folder; kCannotCreate, kIo. Threads: one; write_face from any.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "uir/base/growing_file.h"
#include "uir/base/json.h"

namespace uir {

struct AlignCounts {
  int64_t pictures = 0;    // photos, or frames
  int64_t with_faces = 0;  // of these
  int64_t faces = 0;
  int64_t corrected = 0;  // of these, by a closer look
  int64_t checked = 0, found_again = 0;
  // Sums of distances from the template [pixels]; see TemplateDistance.
  double eyes = 0, points = 0, eyes_again = 0, points_again = 0;
  void add(const AlignCounts& other);
};

// What one photo or video adds.
struct AlignedUnit {
  AlignCounts counts;
  std::string landmarks, not_found, filelist;  // lines
};

class AlignOutput {
 public:
  // settings: what must agree for a run to be continued. Without `resume` neither `out` nor its partial
  // folder may be there. videos: with a filelist.txt. The partial folder is locked against other processes
  // until commit(). left_out: what align.json says of files that are none of the pictures.
  AlignOutput(const fs::path& out, Json settings, bool resume, bool videos, Json left_out);

  // The units that are done already; all of them where the folder was complete before.
  int64_t units_done() const { return units_; }
  bool complete() const { return complete_; }
  const AlignCounts& counts() const { return counts_; }
  // kUsage unless the run did these units first.
  void check_names(const std::vector<std::string>& names) const;

  // Not for a folder that was complete before. A face is written before its unit is added.
  void write_face(const std::string& name, Bytes encoded) const;
  // The next unit, in the order of check_names' names.
  void add(const std::string& name, const AlignedUnit& unit);
  void save_now_and_then();  // save() if the last one is ten seconds ago
  void save();               // makes all that was added survive a crash
  void commit();             // and publishes the folder; nothing may be added afterwards
  void discard();            // nothing stays

 private:
  void resume(const Json& state);
  void open_files(const Json& state, bool videos);  // null: new ones
  Json state() const;

  fs::path out_, partial_;
  Json settings_, left_out_;
  bool complete_ = false;
  std::optional<FolderLock> lock_;
  std::map<std::string, GrowingFile> files_;
  AlignCounts counts_;
  int64_t units_ = 0;
  uint64_t names_ = 0;  // checksum of the units' names
  std::chrono::steady_clock::time_point saved_ = std::chrono::steady_clock::now();
};

}  // namespace uir
