#include <cstring>
#include <fstream>
#include <string>

#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/base/error.h"
#include "uir/store/embedding_store.h"

namespace uir {
namespace {

std::string header(std::string text, char major = 1) {
  std::string bytes = std::string("\x93NUMPY") + major + '\0';
  const auto length = static_cast<uint32_t>(text.size());
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) bytes += static_cast<char>(length >> (8 * i) & 0xff);
  return bytes + text;
}

// Header text padded so that the data begin at a multiple of 64.
std::string padded(const std::string& text, char major = 1) {
  const size_t prefix = major == 1 ? 10 : 12;
  return header(text + std::string(63 - (prefix + text.size()) % 64, ' ') + "\n", major);
}

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

fs::path write(const TempFolder& folder, const std::string& bytes) {
  const fs::path path = folder / "a.npy";
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string refusal(const TempFolder& folder, const std::string& bytes) {
  try {
    open_npy(write(folder, bytes));
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kData);
    CHECK(std::string(e.what()).find("a.npy") != std::string::npos);
    return e.what();
  }
  return "accepted";
}

const std::string kDict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
const std::vector<float> kValues{1, 2, 3, 4, 5, 6};

}  // namespace

TEST_CASE("the header is byte for byte NumPy's own") {
  // numpy.lib.format.write_array_header_1_0 for shape (3, 4), NumPy 1.24.
  const std::string expected = padded("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }");
  CHECK(npy_header(3, 4) == expected);
  CHECK(npy_header(3, 4).size() == 128);
  for (int64_t rows : {int64_t{0}, int64_t{1}, int64_t{123456789}, int64_t{1} << 60})
    CHECK(npy_header(rows, 512).size() % 64 == 0);
}

TEST_CASE("formats 1.0, 2.0 and 3.0, key order, spaces and quotes are read") {
  TempFolder folder;
  const std::string other = "{\"shape\":( 2 ,3),'fortran_order':False,  \"descr\" : '<f4'}";
  for (char major : {1, 2, 3}) {
    for (const std::string& text : {kDict, other}) {
      const MappedMatrix file = open_npy(write(folder, padded(text, major) + floats(kValues)));
      const MatrixView m = file.matrix();
      REQUIRE((m.rows == 2 && m.cols == 3));
      CHECK(std::vector<float>(m.data, m.data + 6) == kValues);
    }
  }
}

TEST_CASE("a moved file keeps its view") {
  TempFolder folder;
  MappedMatrix first = open_npy(write(folder, npy_header(2, 3) + floats(kValues)));
  const MappedMatrix second = std::move(first);
  CHECK(second.matrix().row(1)[2] == 6);
}

TEST_CASE("everything else is refused by name") {
  TempFolder folder;
  const auto with = [&](const std::string& text) { return refusal(folder, padded(text) + floats(kValues)); };
  CHECK_THAT(refusal(folder, ""), contains_text("magic"));
  CHECK_THAT(refusal(folder, "\x93NUMPX"), contains_text("magic"));
  CHECK_THAT(refusal(folder, "\x93NUMPY"), contains_text("ends within"));
  CHECK_THAT(refusal(folder, std::string("\x93NUMPY\x01\x00\xff\xff{", 11)), contains_text("ends within"));
  CHECK_THAT(refusal(folder, std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)),
             contains_text("ends within"));
  CHECK_THAT(refusal(folder, padded(kDict, 4)), contains_text("format 4.0"));
  CHECK_THAT(with("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3)}"), contains_text("'>f4'"));
  CHECK_THAT(with("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}"), contains_text("'<f8'"));
  CHECK_THAT(with("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3)}"), contains_text("'|O'"));
  CHECK_THAT(with("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}"), contains_text("Fortran"));
  CHECK_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (6,)}"), contains_text("1 dimensions"));
  CHECK_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3)}"),
             contains_text("3 dimensions"));
  CHECK_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3)}"), contains_text("size"));
  CHECK_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 99999999999999999999)}"),
             contains_text("size"));
  CHECK_THAT(with("{'descr': '<f4', 'fortran_order': False}"), contains_text("expected the keys"));
  CHECK_THAT(with("{'descr': '<f4', 'descr': '<f4', 'shape': (2, 3)}"), contains_text("repeated"));
  CHECK_THAT(with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': 1}"),
             contains_text("unknown key 'x'"));
  CHECK_THAT(with(kDict + " evil"), contains_text("after the closing brace"));
  CHECK_THAT(with("__import__('os')"), contains_text("expected '{'"));
  CHECK_THAT(with("{'descr': '<f4"), contains_text("quoted"));
}

TEST_CASE("the data must have exactly the bytes of the shape, aligned, and no product may overflow") {
  TempFolder folder;
  const std::string whole = padded(kDict) + floats(kValues);
  CHECK_THAT(refusal(folder, whole + "x"), contains_text("needs 24"));
  for (size_t size = 0; size < whole.size(); ++size)
    CHECK(refusal(folder, whole.substr(0, size)) != "accepted");
  CHECK_THAT(refusal(folder, header(kDict + std::string(128 - 10 - kDict.size() + 1, ' ')) + floats(kValues)),
             contains_text("multiple of 4"));
  // 2^32 x 2^32 wraps to 0 elements in 64 bits; 2^62 elements fit, their bytes do not.
  CHECK_THAT(
      refusal(folder, padded("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}")),
      contains_text("larger than any memory"));
  CHECK_THAT(
      refusal(folder, padded("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 1)}")),
      contains_text("larger than any memory"));
}

TEST_CASE("a missing file is a missing input") {
  TempFolder folder;
  try {
    open_npy(folder / "none.npy");
    FAIL("opened");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kMissingInput);
  }
}

}  // namespace uir
