// Packs the training images of an index into shuffled RecordIO shards that InsightFace's readers read.
//
// <folder>/labeled-00000-of-000NN.rec and .idx, unlabeled-… where the index has such rows, property,
// pack.json (counts, settings and checksums). docs/formats.md ("Pack") has the layout. Records stand in
// random order, so a sequential pass is a shuffled epoch; keys run by class, so identity records name ranges
// of keys. Labels are class numbers; −1 in unlabeled shards. JPEG images of 112x112 without shift keep their
// bytes, all others are stored as the network sees them, JPEG at the given quality.
//
// Determinism: byte-identical for any number of threads and after any interruption (commit protocol).
// Cost: one random read per image; memory grows with the images of one shard (24 bytes each).
// Errors: an image that cannot be read is kData (run uir-index --verify first to mark it).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/base/json.h"
#include "uir/data/index.h"

namespace uir {

struct PackOptions {
  int64_t images_per_shard = 1'000'000;
  int quality = 95;
  uint64_t seed = 0;
  int threads = 0;
};

struct PackReport {
  int64_t labeled = 0, unlabeled = 0;  // images
  int64_t copied = 0, encoded = 0;     // of both: bytes unchanged, or encoded anew
  int64_t shards = 0;
  std::vector<std::string> lines() const;
};

PackReport pack_index(const Index& index, const fs::path& folder, const PackOptions& options = {});
// If pack.json beside the .rec names it: compares size and checksum of every shard, kData if they differ.
void check_pack(const fs::path& rec);

}  // namespace uir
