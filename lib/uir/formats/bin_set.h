// Verification sets as InsightFace publishes them (lfw.bin): a Python pickle of (images, issame), read
// without executing anything, and written.
//
// Shapes: P pairs, 2P encoded images; pair i is images 2i and 2i+1. docs/formats.md lists the pickle
// dialects.
// Cost: one pass over the memory-mapped file; images are views into it, except where protocol 2 stores bytes
// as text, which is decoded into memory (at most the file's size).
// Errors: kData naming file and offset: another opcode or global than the listed ones, anything malformed,
// counts that do not fit. A hostile file is refused before more memory than about its own size is allocated.
// Threads: const functions are thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "uir/base/file.h"

namespace uir {

class BinSet {
 public:
  // Reads and checks all of the pickle but the images' bytes. kMissingInput for a missing file.
  explicit BinSet(const fs::path& path);

  int64_t num_images() const { return static_cast<int64_t>(images_.size()); }
  int64_t num_pairs() const { return static_cast<int64_t>(is_same_.size()); }
  Bytes image(int64_t i) const {
    return images_[static_cast<size_t>(i)];
  }  // encoded; valid while the set lives
  bool is_same(int64_t pair) const { return is_same_[static_cast<size_t>(pair)] != 0; }
  const std::vector<uint8_t>& is_same() const { return is_same_; }

 private:
  std::shared_ptr<const void> storage_;  // the map and decoded strings
  std::vector<Bytes> images_;
  std::vector<uint8_t> is_same_;
};

// Writes a set as the published ones are (protocol 2, Python 2's byte strings), which every reader knows:
// Python 3 loads it with encoding="bytes", Python 2 as it is. By the commit protocol.
class BinSetWriter {
 public:
  explicit BinSetWriter(const fs::path& path);
  void add_image(Bytes encoded);
  void commit(std::span<const uint8_t> is_same);  // kInternal unless 2 images were added for each pair

 private:
  AtomicFile file_;
  uint64_t num_images_ = 0;
};

}  // namespace uir
