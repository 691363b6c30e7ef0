// Writers of the challenges' feature files, row by row: memory does not grow with their number.
//
// Shapes: int32 rows, cols, cols·4, 5, then row-major float32 (ChallengeFile, store/embedding_store.h).
// Nothing appears under its name before commit() (base/file.h). Errors: kCannotCreate, kIo; kInternal for
// another number of rows or columns than announced. Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "uir/base/file.h"

namespace uir {

// One file for a whole list: Trillion-Pairs, the LFR challenge.
class ChallengeWriter {
 public:
  ChallengeWriter(const fs::path& path, int64_t rows, int64_t cols);
  void append(std::span<const float> row);
  void commit();

 private:
  AtomicFile file_;
  int64_t rows_, cols_, written_ = 0;
};

// MegaFace: one file per image, (length, 1, 4, 5), folder/<item>_<suffix>.bin.
class ChallengeTreeWriter {
 public:
  ChallengeTreeWriter(const fs::path& folder, std::string suffix);
  // kData for an item that leads out of the folder, or was there before.
  void add(std::string_view item, std::span<const float> row);
  void commit();  // syncs the whole file system once instead of every file

 private:
  AtomicFolder folder_;
  std::string suffix_;
};

}  // namespace uir
