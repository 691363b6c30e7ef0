// The embedding store: a folder that evaluation reads, ours or anyone's.
//   embeddings.npy           float32 [N, D], C order, unnormalised, NumPy format 1.0
//   embeddings_mirrored.npy  the same of the mirror images (optional)
//   classes.npy              float32 [N, 4] (optional): ClassColumn
//   items.tsv                row → item<TAB>label (−1: unlabeled), N lines
//   manifest.json            which weights, colour order, normalisation, counts, checksums
// docs/formats.md ("Embeddings") defines them. Opening reads everything once (checksums, non-finite values)
// at the memory's speed, files and rows on several threads; own memory is 16 bytes per row, the arrays stay
// mapped.
// Errors: missing files kMissingInput; wrong shapes, counts or checksums, non-finite rows (named by row and
// item) kData. Threads: EmbeddingStore is const after open; a writer belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"

namespace uir {

// A row-major float32 matrix somewhere in memory.
struct MatrixView {
  const float* data = nullptr;
  int64_t rows = 0, cols = 0;
  std::span<const float> row(int64_t i) const { return {data + i * cols, static_cast<size_t>(cols)}; }
};

// Columns of classes.npy: the best class, its cosine, its probability p, log(p/(1 − p)). Stores of version 1
// end before the last one.
enum class ClassColumn : int64_t { kClass, kCosine, kProbability, kLogOdds };

struct StoreShape {
  int64_t rows = 0, dim = 0;
  bool mirrored = false, classes = false;
  int64_t class_columns = 4;
};

// Writes a store row block by row block; memory does not grow with N. Resumable: a writer opened on the
// unfinished folder "<folder>.partial" of the same shape and manifest continues after the last block that was
// synced (checksums are compared; anything else starts over). A folder that exists already is replaced only
// by commit().
class EmbeddingStoreWriter {
 public:
  // manifest: what identifies the extraction (weights checksum, set, normalisation …).
  EmbeddingStoreWriter(const fs::path& folder, StoreShape shape, Json manifest);
  ~EmbeddingStoreWriter();
  int64_t rows_done() const;  // > 0 when an interrupted extraction continues
  // Appends n rows; mirrored and classes must be given exactly when the shape says so. items: n
  // "item\tlabel". kData for a non-finite value or a malformed item, naming the row.
  void append(MatrixView embeddings, const float* mirrored, const float* classes,
              std::span<const std::string> items);
  void sync();    // makes the rows so far survive a crash
  void commit();  // all rows must be there; publishes the folder

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Embeddings from elsewhere: features of any tool, row i belongs to line i of the list.
struct EmbeddingFiles {
  fs::path
      features;  // float32 .npy, the challenges' .bin, or a folder with a file per image (open_feature_tree)
  fs::path mirrored;  // the same of the mirror images; may be empty
  fs::path items;   // a list: the item is what stands before a line's first tab or space; empty: row numbers
  fs::path labels;  // one integer per line, -1: unlabeled or distractor; empty: all -1
  std::string suffix{};  // of the files in a folder
};

class EmbeddingStore {
 public:
  static EmbeddingStore open(const fs::path& folder, int threads = 1);
  // Counts must agree: a list shorter or longer than the features is kData, never filled up. Rows that are
  // not finite are refused by name as in a store of our own; there is no checksum to compare.
  static EmbeddingStore open(const EmbeddingFiles& files, int threads = 1);
  // The same images with other embeddings [N, dim], and mirrored ones unless they are empty. No best classes.
  EmbeddingStore with_embeddings(std::vector<float> embeddings, std::vector<float> mirrored, int64_t dim,
                                 Json manifest) const;
  MatrixView embeddings() const;
  std::optional<MatrixView> mirrored() const;
  EmbeddingStore without_mirrored() const;    // the same store but for them
  std::optional<MatrixView> classes() const;  // [N, 4], of version 1 [N, 3]
  int64_t size() const;
  std::string_view item(int64_t row) const;
  std::vector<std::string_view> items() const;
  std::span<const int64_t> labels() const;
  int64_t row_of(std::string_view wanted) const;  // −1 if there is none; kData if two rows have it
  const Json& manifest() const;                   // as it was given to the writer
  const fs::path& folder() const;                 // the store's, or the file of the features

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
  bool shows_mirrored_ = true;
};

// A float32 matrix in a mapped file, or in memory.
class MappedMatrix {
 public:
  MappedMatrix(MappedFile file, MatrixView view) : file_(std::move(file)), view_(view) {}
  MappedMatrix(std::vector<float> values, int64_t rows, int64_t cols)
      : values_(std::move(values)), view_{values_.data(), rows, cols} {}
  MappedMatrix(MappedMatrix&&) noexcept = default;
  MappedMatrix& operator=(MappedMatrix&&) noexcept = default;
  MatrixView matrix() const { return view_; }

 private:
  MappedFile file_;
  std::vector<float> values_;
  MatrixView view_;
};

// A two-dimensional float32 array in NumPy format 1.0, 2.0 or 3.0, little-endian, C order. Everything else is
// refused by name (kData), and so is a file that is shorter or longer than its shape says.
MappedMatrix open_npy(const fs::path& path);
// The bytes before the data of a float32 [rows, cols] array.
std::string npy_header(int64_t rows, int64_t cols);

// The feature file of Trillion-Pairs, the LFR challenge and MegaFace: int32 rows, cols, cols·4, 5, then
// row-major float32. MegaFace's file of one image is (length, 1, 4, 5), so a matrix of one column. Errors as
// open_npy.
MappedMatrix open_challenge_file(const fs::path& path);
std::string challenge_header(int64_t rows, int64_t cols);  // kInternal above 2^31 − 1

// MegaFace's tree: row i is the file folder/<items[i]><suffix>, one image's feature as (length, 1, 4, 5) or
// (1, length, 4·length, 5). Memory: 4 bytes per number. kMissingInput for a file that is not there; kData for
// items that lead out of the folder, another length than the first row's, no items.
MappedMatrix open_feature_tree(const fs::path& folder, std::span<const std::string_view> items,
                               std::string_view suffix);

// A whole file of either kind, told apart by NumPy's magic bytes.
MappedMatrix open_features(const fs::path& path);

}  // namespace uir
