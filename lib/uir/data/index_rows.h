// The way back from the names of images to the rows of an index.
//
// Cost: one pass over the set's rows and one over the items; 16 bytes per row of the set while it is made.
// Threads: const after construction.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uir/data/index.h"

namespace uir {

class IndexRows {
 public:
  // `set` as in Index::set_rows; one that is no source of the index (embeddings of another tool) has no rows.
  // Items may repeat.
  IndexRows(const Index& index, const std::string& set, std::span<const std::string_view> items);

  // The row that holds item number i; −1 if none of the set does.
  int64_t row(int64_t i) const { return rows_[static_cast<size_t>(i)]; }
  bool complete() const;  // every item has a row

 private:
  std::vector<int64_t> rows_;
};

}  // namespace uir
