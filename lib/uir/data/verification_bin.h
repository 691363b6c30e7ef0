// Pairs of an index's images as a verification set of InsightFace's kind (formats/bin_set.h): two images per
// pair, in the order of the pairs.
//
// Images are stored as ImageSource::as_jpeg gives them. Cost: one read per image, and one decode and one
// encoding where it is no JPEG of the network's size. Written by the commit protocol. Errors: those of
// ImageSource::load; kCannotCreate, kIo. Threads: one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uir/data/index.h"

namespace uir {

struct RowPair {
  int64_t a = -1, b = -1;  // rows of the index
  bool same = false;       // one person
};

struct VerificationBinReport {
  fs::path file;
  int64_t pairs = 0;
  int64_t copied = 0, encoded = 0;  // images: bytes unchanged, or encoded anew
  std::string line() const;
};

VerificationBinReport write_verification_bin(const Index& index, std::span<const RowPair> pairs,
                                             const fs::path& file);

}  // namespace uir
