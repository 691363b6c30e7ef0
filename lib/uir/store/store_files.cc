#include "uir/store/store_files.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstring>

#include "uir/base/parallel.h"

namespace uir::store_files {

std::vector<ArrayFile> array_files(const StoreShape& shape) {
  std::vector<ArrayFile> files{{kEmbeddings, shape.dim}};
  if (shape.mirrored) files.push_back({kMirrored, shape.dim});
  if (shape.classes) files.push_back({kClasses, shape.class_columns});
  return files;
}

std::vector<std::string_view> data_files(const StoreShape& shape) {
  std::vector<std::string_view> names;
  for (const ArrayFile& file : array_files(shape)) names.push_back(file.name);
  names.push_back(kItems);
  return names;
}

fs::path partial_folder(const fs::path& folder) {
  fs::path partial = folder;
  partial += ".partial";
  return partial;
}

std::optional<Item> parse_item(std::string_view line) {
  const size_t tab = line.find('\t');
  if (tab == 0 || tab == std::string_view::npos) return std::nullopt;
  Item item{line.substr(0, tab)};
  const char* end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data() + tab + 1, end, item.label);
  if (error != std::errc() || stop != end || item.label < -1) return std::nullopt;
  if (item.name.find('\n') != std::string_view::npos) return std::nullopt;
  return item;
}

namespace {

// In a loop of fixed length, which the compiler turns into vectors.
bool all_finite(std::span<const float> row) {
  constexpr size_t kLanes = 16;
  constexpr uint32_t kWithoutSign = 0x7fffffff, kInfinity = 0x7f800000;
  uint32_t non_finite[kLanes] = {};
  size_t d = 0;
  for (; d + kLanes <= row.size(); d += kLanes) {
    uint32_t bits[kLanes];
    std::memcpy(bits, row.data() + d, sizeof bits);
    // The sum reaches the sign bit for infinities and NaN only.
    for (size_t l = 0; l < kLanes; ++l) non_finite[l] |= (bits[l] & kWithoutSign) + (0x80000000U - kInfinity);
  }
  const bool tail = std::ranges::all_of(row.subspan(d), [](float x) { return std::isfinite(x); });
  return tail && std::ranges::all_of(non_finite, [](uint32_t sum) { return sum < 0x80000000U; });
}

}  // namespace

int64_t first_non_finite_row(MatrixView matrix, int threads) {
  constexpr int64_t kBlock = 1024;
  std::atomic<int64_t> first{matrix.rows};
  parallel_blocks(matrix.rows, kBlock, threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (all_finite(matrix.row(i))) continue;
      for (int64_t known = first; i < known && !first.compare_exchange_weak(known, i);) {
      }
      return;
    }
  });
  return first < matrix.rows ? first.load() : -1;
}

std::string manifest_checksum(const Json& manifest) {
  Json rest = manifest;
  rest.erase("checksum");
  return checksum_hex(as_bytes(rest.dump()));
}

}  // namespace uir::store_files
