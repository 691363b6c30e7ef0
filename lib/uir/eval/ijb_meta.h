// The meta files of IJB-B and IJB-C, in the layout that the public evaluation scripts use (docs/formats.md).
//
//   <b>_face_tid_mid.txt         name template media              one line per image
//   <b>_name_5pts_score.txt      name x1 y1 … x5 y5 score         line i belongs to line i of face_tid_mid
//   <b>_template_pair_label.txt  template1 template2 0|1
//   <b>_1N_gallery_….csv, <b>_1N_probe_mixed.csv   header; column 0 template, 1 subject; one line per image
// Ids are non-negative integers and need not be contiguous; templates are numbered 0 … T−1 by ascending id.
// Source: C. Whitelam et al., IJB-B (2017); B. Maze et al., IJB-C (2018).
// Cost: files are memory-mapped and parsed by several threads. Memory: 32 bytes per image, 8 per pair.
// Errors: kData naming file and line for a malformed line, an unknown template, lists of different lengths or
// names, a template with two subjects, a subject in both galleries, and embeddings that are not those of the
// images.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "uir/base/file.h"
#include "uir/eval/ijb_options.h"
#include "uir/eval/parallel_lines.h"
#include "uir/store/embedding_store.h"

namespace uir {

// Where the files lie, and what the benchmark calls its galleries.
struct IjbFiles {
  fs::path faces, points, pairs;
  std::array<fs::path, 2> galleries;
  fs::path probes;
  std::array<std::string, 2> gallery_names;  // "G1", "G2"; IJB-B: "S1", "S2"
};
IjbFiles ijb_files(const fs::path& meta, IjbBenchmark benchmark);

// Template ids and their numbers 0 … size() − 1, in ascending order of id.
class TemplateIds {
 public:
  TemplateIds() = default;
  explicit TemplateIds(std::vector<int64_t> ids);  // in any order, with repeats
  int64_t size() const { return static_cast<int64_t>(ids_.size()); }
  int64_t id(int64_t number) const { return ids_[static_cast<size_t>(number)]; }
  int32_t number(int64_t id) const;  // −1: no such template

 private:
  std::vector<int64_t> ids_;      // ascending
  std::vector<int32_t> numbers_;  // by id, where ids are small enough for a table
};

// One entry per image, in the order of the lists.
struct IjbImages {
  TemplateIds templates;
  std::vector<int32_t> template_of;  // number of the image's template
  std::vector<int64_t> media;
  std::vector<double> detector_score;
  std::vector<std::string_view> names;
  ParallelLines lines;  // of face_tid_mid: holds the names
  int64_t size() const { return static_cast<int64_t>(names.size()); }
};
IjbImages read_ijb_images(const IjbFiles& files, int threads = 1);

// The set's row of every image: row i where the set holds exactly the lists' images in order, else the one
// row whose item is the image's name.
std::vector<int64_t> ijb_rows(const IjbImages& images, const EmbeddingStore& set);

// Images whose embedding is zero: what many tools write for a face that they could not read. They add nothing
// to their template, unless its norm is removed, which fails. Warns where there are any.
int64_t num_zero_images(std::span<const int64_t> rows, MatrixView embeddings);

// A sentence for the report, with a blank in front, where the lists are not as long as those of the published
// benchmark; it is a warning, too. Empty where they are. What: "images", "templates", "pairs", "probes",
// "gallery templates".
std::string compare_with_published(IjbBenchmark benchmark,
                                   const std::vector<std::pair<std::string_view, int64_t>>& found);

struct IjbPair {
  uint32_t first = 0;                             // number of a template
  uint32_t second : 31 = 0, genuine : 1 = false;  // number of a template; same subject
};
std::vector<IjbPair> read_ijb_pairs(const fs::path& path, const TemplateIds& templates, int threads = 1);

// A template of a gallery or of the probes.
struct IjbEntry {
  int32_t number = 0;  // of the template
  int64_t subject = 0;
  bool operator==(const IjbEntry&) const = default;
};
struct IjbSearch {
  std::array<std::vector<IjbEntry>, 2> galleries;
  std::vector<IjbEntry> probes;
};
IjbSearch read_ijb_search(const IjbFiles& files, const TemplateIds& templates, int threads = 1);

}  // namespace uir
