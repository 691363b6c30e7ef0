// The pictures beside an overlap report: the closest matches and near-duplicates as pairs of faces, from the
// index.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uir/data/contact_sheet.h"
#include "uir/data/index_rows.h"
#include "uir/eval/overlap_search.h"

namespace uir {

// Rows of the index: of each class its first good image; −1: none.
std::vector<int64_t> first_of_each_class(const Index& index);

class OverlapPictures {
 public:
  // Targets as OverlapSearch has them.
  OverlapPictures(Index index, std::span<const NamedStore> targets, fs::path folder);

  // Writes closest_<set>.png, closest_<set>_<target>.png for further targets and, if there are
  // near-duplicates, duplicates_<set>.png, and names them in found.pictures. rows: of the set's images; a
  // face whose row is not known is a crossed box.
  void write(const EmbeddingStore& store, const IndexRows& rows, SetOverlap& found);

 private:
  void write_sheet(const std::string& name, std::span<const FacePair> pairs, SetOverlap& found) const;
  int64_t row_of_match(size_t target, const OverlapMatch& match) const;
  int64_t first_row_of_class(const OverlapMatch& match) const;

  Index index_;
  fs::path folder_;
  std::vector<IndexRows> target_rows_;  // of the targets behind the first
  std::vector<int64_t> first_of_class_;
};

}  // namespace uir
