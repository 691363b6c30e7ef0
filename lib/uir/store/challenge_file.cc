#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <limits>

#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/store/embedding_store.h"

namespace uir {
namespace {

constexpr size_t kHeaderBytes = 16;
constexpr int32_t kFloat32 = 5;  // CV_32F

}  // namespace

MappedMatrix open_challenge_file(const fs::path& path) {
  MappedFile file(path);
  const Bytes bytes = file.bytes();
  std::array<int32_t, 4> header{};  // rows, columns, bytes of a row, type
  if (bytes.size() < kHeaderBytes) {
    fail(ErrorKind::kData, path.string(), ": ", bytes.size(), " bytes; the header of a feature file has 16");
  }
  std::memcpy(header.data(), bytes.data(), kHeaderBytes);
  const auto [rows, cols, stride, type] = header;
  if (rows < 0 || cols < 1 || int64_t{stride} != int64_t{cols} * 4 || type != kFloat32) {
    fail(ErrorKind::kData, path.string(), ": header (", rows, ", ", cols, ", ", stride, ", ", type,
         "); expected (rows, columns, 4 x columns, 5)");
  }
  const uint64_t expected = static_cast<uint64_t>(rows) * static_cast<uint64_t>(stride);
  if (bytes.size() - kHeaderBytes != expected) {
    fail(ErrorKind::kData, path.string(), ": ", bytes.size() - kHeaderBytes, " bytes of features; ", rows,
         " rows of ", cols, " need ", expected);
  }
  return {std::move(file), {reinterpret_cast<const float*>(bytes.data() + kHeaderBytes), rows, cols}};
}

std::string challenge_header(int64_t rows, int64_t cols) {
  ensure(rows <= std::numeric_limits<int32_t>::max() && cols <= std::numeric_limits<int32_t>::max() / 4,
         "a feature file's counts fit 32 bits");
  const std::array header{static_cast<int32_t>(rows), static_cast<int32_t>(cols),
                          static_cast<int32_t>(cols * 4), kFloat32};
  std::string text(kHeaderBytes, '\0');
  std::memcpy(text.data(), header.data(), kHeaderBytes);
  return text;
}

MappedMatrix open_feature_tree(const fs::path& folder, std::span<const std::string_view> items,
                               std::string_view suffix) {
  if (items.empty()) fail(ErrorKind::kData, folder.string(), ": the list of its images is empty");
  const auto open_row = [&](int64_t row) {
    const fs::path path = join_inside(folder, concat(items[static_cast<size_t>(row)], suffix));
    MappedMatrix file = open_challenge_file(path);
    if (const MatrixView found = file.matrix(); found.rows != 1 && found.cols != 1) {
      fail(ErrorKind::kData, path.string(), ": shape (", found.rows, ", ", found.cols,
           "); expected the feature of one image");
    }
    return file;
  };
  const auto size = [](MatrixView file) { return file.rows * file.cols; };
  const int64_t dim = size(open_row(0).matrix());
  std::vector<float> values(items.size() * static_cast<size_t>(dim));
  Progress progress(concat("reading ", folder.string()), "features", std::ssize(items));
  parallel_blocks(std::ssize(items), 256, 0, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const MappedMatrix file = open_row(row);
      if (size(file.matrix()) != dim) {
        fail(ErrorKind::kData, (folder / items[static_cast<size_t>(row)]).string(), suffix, ": ",
             size(file.matrix()), " numbers; the first image's feature has ", dim);
      }
      std::copy_n(file.matrix().data, dim, values.data() + row * dim);
    }
    progress.add(end - begin);
  });
  return {std::move(values), std::ssize(items), dim};
}

MappedMatrix open_features(const fs::path& path) {
  const MappedFile file(path);
  return as_text(file.bytes()).starts_with("\x93NUMPY") ? open_npy(path) : open_challenge_file(path);
}

}  // namespace uir
