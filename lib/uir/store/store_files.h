// What the writer and the reader of an embedding store share: file names, items, finiteness. Private to
// store/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "uir/store/embedding_store.h"

namespace uir::store_files {

inline constexpr std::string_view kFormat = "uir-embeddings";
inline constexpr int kVersion = 2;
// Version 1 has no log odds in classes.npy.
inline constexpr int kOldestVersion = 1;
inline constexpr std::string_view kEmbeddings = "embeddings.npy";
inline constexpr std::string_view kMirrored = "embeddings_mirrored.npy";
inline constexpr std::string_view kClasses = "classes.npy";
inline constexpr std::string_view kItems = "items.tsv";
inline constexpr std::string_view kManifest = "manifest.json";

// The files of a store of this shape, without the manifest, in a fixed order: arrays first, items last.
struct ArrayFile {
  std::string_view name;
  int64_t cols;
};
std::vector<ArrayFile> array_files(const StoreShape& shape);
std::vector<std::string_view> data_files(const StoreShape& shape);

fs::path partial_folder(const fs::path& folder);

// One line of items.tsv.
struct Item {
  std::string_view name;
  int64_t label = -1;
};
// None if the line is not "item<TAB>label" with a non-empty item and a label of at least −1.
std::optional<Item> parse_item(std::string_view line);

// The first row with a NaN or an infinity; −1 if there is none.
int64_t first_non_finite_row(MatrixView matrix, int threads = 1);

// A manifest's own checksum: of its text without the field "checksum".
std::string manifest_checksum(const Json& manifest);

}  // namespace uir::store_files
