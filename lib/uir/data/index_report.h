// What is in an index: counts, sizes, identical images across roles, what speaks against training on it,
// sample rows; for people and for programs.
//
// Cost: a few passes over the columns; memory grows with the number of identities, not of rows.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "uir/base/json.h"
#include "uir/data/index.h"
#include "uir/data/left_out.h"
#include "uir/data/shared_images.h"

namespace uir {

struct PixelSizeCount {
  int width = 0, height = 0;  // 0, 0: not known
  int64_t images = 0;
};

struct SourceStatistics {
  std::string name;
  Role role = Role::kTest;
  int64_t images = 0, identities = 0;
  int64_t bytes = 0;  // encoded
  int64_t held_out = 0, bad = 0, excluded = 0;
  int64_t absent = 0;            // of the excluded: their files were not there
  int64_t not_network_size = 0;  // not 112x112 …
  int64_t aligned = 0;           // … of these, aligned by landmarks; the others are resized
  int64_t odd_landmarks = 0;     // … of these, with landmarks that can hardly be a face's
  int64_t min_per_identity = 0, max_per_identity = 0;
  double median_per_identity = 0;
  std::vector<PixelSizeCount> pixel_sizes;  // the most frequent ones
  std::vector<std::string> samples;         // first rows: "Ann/1.jpg: class 0 (Ann), 112x112, 3120 bytes"
  std::vector<std::string> bad_examples;    // items of the first bad rows
  std::vector<std::string> odd_examples;    // and of the first with odd landmarks
};

// What the index itself does not tell of how it was built.
struct IndexingRecord {
  int64_t images_read = 0, images_reused = 0;  // hashed now, or taken from the previous index
  std::vector<LeftOut> left_out;               // by source
};

struct IndexReport {
  int64_t images = 0, num_classes = 0, num_test_identities = 0;
  std::vector<SourceStatistics> sources;
  ContentComparison contents;
  std::vector<std::string> warnings;  // training_warnings, and images that are stretched
  IndexingRecord record;              // by build_index

  Json to_json() const;
  std::vector<std::string> lines() const;
};

IndexReport make_index_report(const Index& index);

}  // namespace uir
