#include <array>
#include <cstring>
#include <limits>

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

MappedMatrix open_features(const fs::path& path) {
  const MappedFile file(path);
  return as_text(file.bytes()).starts_with("\x93NUMPY") ? open_npy(path) : open_challenge_file(path);
}

}  // namespace uir
