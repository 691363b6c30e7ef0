#include <fstream>
#include <limits>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "uir/store/embedding_store.h"

namespace uir {
namespace {

const std::vector<float> kValues{1, 2, 3, 4, 5, 6};

fs::path write(const TempFolder& folder, const std::string& name, std::string_view text) {
  std::ofstream(folder / name, std::ios::binary) << text;
  return folder / name;
}

std::string floats(const std::vector<float>& values) {
  return std::string(as_text(std::as_bytes(std::span(values))));
}

// header: the four int32 of a feature file.
std::string feature_file(std::vector<int32_t> header, const std::vector<float>& values) {
  return std::string(as_text(std::as_bytes(std::span(header)))) + floats(values);
}

std::string message(const EmbeddingFiles& files) {
  const auto error = error_of([&] { EmbeddingStore::open(files); });
  return error && error->kind() == ErrorKind::kData ? error->what() : "no data error";
}

}  // namespace

TEST_CASE("a challenge's feature file is read as it is, and written the same") {
  const TempFolder folder;
  const std::string bytes = feature_file({2, 3, 12, 5}, kValues);
  CHECK(challenge_header(2, 3) + floats(kValues) == bytes);
  const MappedMatrix file = open_features(write(folder, "f.bin", bytes));
  CHECK(file.matrix().rows == 2);
  CHECK(file.matrix().cols == 3);
  CHECK(file.matrix().row(1)[2] == 6);
  // MegaFace's file of one image: a column.
  const MappedMatrix one = open_challenge_file(write(folder, "g.bin", feature_file({6, 1, 4, 5}, kValues)));
  CHECK(one.matrix().rows == 6);
}

TEST_CASE("a malformed feature file is refused with what was found") {
  const TempFolder folder;
  const auto refused = [&](const std::string& bytes) {
    return message({write(folder, "f.bin", bytes), {}, {}, {}});
  };
  CHECK_THAT(refused(""), contains_text("0 bytes; the header of a feature file has 16"));
  CHECK_THAT(refused(feature_file({2, 3, 11, 5}, kValues)), contains_text("header (2, 3, 11, 5)"));
  CHECK_THAT(refused(feature_file({2, 3, 12, 6}, kValues)), contains_text("header (2, 3, 12, 6)"));
  CHECK_THAT(refused(feature_file({-2, 3, 12, 5}, kValues)), contains_text("header (-2, 3, 12, 5)"));
  CHECK_THAT(refused(feature_file({2, 0, 0, 5}, {})), contains_text("header (2, 0, 0, 5)"));
  CHECK_THAT(refused(feature_file({2, 1 << 30, 0, 5}, {})), contains_text("expected (rows, columns"));
  CHECK_THAT(refused(feature_file({3, 3, 12, 5}, kValues)),
             contains_text("24 bytes of features; 3 rows of 3 need 36"));
  CHECK_THAT(refused(feature_file({1, 3, 12, 5}, kValues)),
             contains_text("24 bytes of features; 1 rows of 3 need 12"));
}

TEST_CASE("embeddings of another tool: features, mirrored features, list and labels") {
  const TempFolder folder;
  const fs::path features = write(folder, "f.bin", feature_file({2, 3, 12, 5}, kValues));
  const fs::path mirrored = write(folder, "m.npy", npy_header(2, 3) + floats({6, 5, 4, 3, 2, 1}));
  const fs::path list = write(folder, "list.txt", "a/1.jpg 30.5 20\r\nb/2.jpg\t7\n");
  const EmbeddingStore store =
      EmbeddingStore::open(EmbeddingFiles{features, mirrored, list, write(folder, "labels", "4\n-1")});
  CHECK(store.size() == 2);
  CHECK(store.item(0) == "a/1.jpg");
  CHECK(store.item(1) == "b/2.jpg");
  CHECK(store.labels()[0] == 4);
  CHECK(store.labels()[1] == -1);
  CHECK(store.mirrored()->row(0)[0] == 6);
  CHECK_FALSE(store.classes());
  CHECK(store.row_of("b/2.jpg") == 1);

  const EmbeddingStore bare = EmbeddingStore::open(EmbeddingFiles{features, {}, {}, {}});
  CHECK(bare.item(1) == "1");
  CHECK(bare.labels()[1] == -1);
  CHECK_FALSE(bare.mirrored());
}

TEST_CASE("MegaFace's tree: one file per image, named by the list and a suffix") {
  const TempFolder folder;
  fs::create_directories(folder / "tree/1/2@N0");
  const auto write_feature = [&](const std::string& name, std::vector<int32_t> header,
                                 const std::vector<float>& values) {
    write(folder, "tree/" + name, feature_file(std::move(header), values));
  };
  write_feature("1/2@N0/a.jpg_net.bin", {3, 1, 4, 5}, {1, 2, 3});
  write_feature("1/b.jpg_net.bin", {1, 3, 12, 5}, {4, 5, 6});
  const fs::path list = write(folder, "list.txt", "1/b.jpg\n1/2@N0/a.jpg\n1/b.jpg 17\n");
  EmbeddingFiles files{folder / "tree", {}, list, {}, "_net.bin"};
  const EmbeddingStore store = EmbeddingStore::open(files);
  REQUIRE(store.size() == 3);
  CHECK(store.embeddings().cols == 3);
  for (int64_t d = 0; d < 3; ++d) {
    CHECK(store.embeddings().row(0)[d] == static_cast<float>(4 + d));
    CHECK(store.embeddings().row(1)[d] == static_cast<float>(1 + d));
    CHECK(store.embeddings().row(2)[d] == static_cast<float>(4 + d));
  }
  CHECK(store.item(1) == "1/2@N0/a.jpg");

  const auto list_of = [&](const std::string& text) {
    files.items = write(folder, "other.txt", text);
    return message(files);
  };
  CHECK_THAT(list_of(""), contains_text("the list of its images is empty"));
  CHECK_THAT(list_of("1/b.jpg\n../../etc\n"), contains_text("etc"));
  write_feature("1/short_net.bin", {2, 1, 4, 5}, {1, 2});
  CHECK_THAT(list_of("1/b.jpg\n1/short\n"),
             contains_text("1/short") && contains_text("2 numbers; the first"));
  write_feature("1/matrix_net.bin", {2, 2, 8, 5}, {1, 2, 3, 4});
  CHECK_THAT(list_of("1/matrix\n"), contains_text("shape (2, 2)"));
  const auto kind_of_files = [](const EmbeddingFiles& wrong) {
    return kind_of([&] { EmbeddingStore::open(wrong); });
  };
  CHECK(kind_of_files({folder / "tree", {}, write(folder, "gone.txt", "1/c.jpg\n"), {}, "_net.bin"}) ==
        ErrorKind::kMissingInput);
  CHECK(kind_of_files({folder / "tree", {}, {}, {}, "_net.bin"}) == ErrorKind::kConfig);
  CHECK(kind_of_files({folder / "tree/1/b.jpg_net.bin", {}, {}, {}, "_net.bin"}) == ErrorKind::kConfig);
}

TEST_CASE("embeddings and lists that do not belong together are refused") {
  const TempFolder folder;
  const fs::path features = write(folder, "f.bin", feature_file({2, 3, 12, 5}, kValues));
  CHECK_THAT(message({features, {}, write(folder, "l", "a\n"), {}}), contains_text("1 lines, but"));
  CHECK_THAT(message({features, {}, write(folder, "l", "a\nb\nc\n"), {}}), contains_text("3 lines, but"));
  CHECK_THAT(message({features, {}, write(folder, "l", "\n\na\n"), {}}), contains_text("line 1: no item"));
  CHECK_THAT(message({features, {}, write(folder, "l", "a\n b\n"), {}}), contains_text("line 2: no item"));
  CHECK_THAT(message({features, {}, {}, write(folder, "l", "1\n2\n3\n")}), contains_text("3 lines, but"));
  CHECK_THAT(message({features, {}, {}, write(folder, "l", "1\n-2\n")}), contains_text("line 2: '-2'"));
  CHECK_THAT(message({features, {}, {}, write(folder, "l", "1\n2 3\n")}), contains_text("line 2: '2 3'"));
  const fs::path wide = write(folder, "w.bin", feature_file({3, 2, 8, 5}, kValues));
  CHECK_THAT(message({features, wide, {}, {}}), contains_text("shape (3, 2)"));
  const std::vector<float> holed{1, 2, 3, 4, std::numeric_limits<float>::quiet_NaN(), 6};
  const fs::path bad = write(folder, "b.bin", feature_file({2, 3, 12, 5}, holed));
  CHECK_THAT(message({bad, {}, write(folder, "l", "a\nb\n"), {}}), contains_text("row 1 (b)"));
  CHECK(kind_of([&] {
          EmbeddingStore::open(EmbeddingFiles{folder / "none", {}, {}, {}});
        }) == ErrorKind::kMissingInput);
}

TEST_CASE("the first row that is not finite is named, wherever it is and for any number of threads") {
  const TempFolder folder;
  constexpr int32_t kRows = 3000;
  const float bad =
      GENERATE(std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
               std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity());
  for (const int32_t cols : {3, 16, 37}) {
    for (int32_t column : {0, cols / 2, cols - 1}) {
      std::vector<float> values(static_cast<size_t>(kRows * cols), -std::numeric_limits<float>::max());
      const fs::path good = write(folder, "good.bin", feature_file({kRows, cols, cols * 4, 5}, values));
      values[static_cast<size_t>(1500 * cols + column)] = bad;
      values[static_cast<size_t>(2999 * cols)] = bad;
      const fs::path path = write(folder, "bad.bin", feature_file({kRows, cols, cols * 4, 5}, values));
      for (int threads : {1, 4}) {
        CHECK(EmbeddingStore::open(EmbeddingFiles{good, {}, {}, {}}, threads).size() == kRows);
        const auto error = error_of([&] { EmbeddingStore::open(EmbeddingFiles{path, {}, {}, {}}, threads); });
        REQUIRE(error);
        CHECK_THAT(error->what(), contains_text("row 1500 (1500) holds a value that is not finite"));
      }
    }
  }
}

}  // namespace uir
