#include "uir/store/challenge_writer.h"

#include <filesystem>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "uir/store/embedding_store.h"

using namespace uir;

TEST_CASE("A challenge file holds the rows in order", "[challenge]") {
  TempFolder folder;
  ChallengeWriter writer(folder / "sub/features.bin", 2, 3);
  writer.append(std::vector<float>{1, 2, 3});
  CHECK_FALSE(fs::exists(folder / "sub/features.bin"));
  writer.append(std::vector<float>{4, 5, -6});
  writer.commit();
  const MappedMatrix file = open_challenge_file(folder / "sub/features.bin");
  CHECK(file.matrix().rows == 2);
  CHECK(file.matrix().cols == 3);
  CHECK(std::vector<float>(file.matrix().data, file.matrix().data + 6) ==
        std::vector<float>{1, 2, 3, 4, 5, -6});
  const std::string bytes = read_text_file(folder / "sub/features.bin");
  CHECK(bytes.size() == 16 + 24);
  CHECK(bytes.substr(0, 16) == std::string("\2\0\0\0\3\0\0\0\14\0\0\0\5\0\0\0", 16));
}

TEST_CASE("A challenge file of another number of rows is never published", "[challenge]") {
  TempFolder folder;
  {
    ChallengeWriter writer(folder / "f.bin", 2, 2);
    CHECK(kind_of([&] { writer.append(std::vector<float>{1}); }) == ErrorKind::kInternal);
    writer.append(std::vector<float>{1, 2});
    CHECK(kind_of([&] { writer.commit(); }) == ErrorKind::kInternal);
    writer.append(std::vector<float>{1, 2});
    CHECK(kind_of([&] { writer.append(std::vector<float>{1, 2}); }) == ErrorKind::kInternal);
  }
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("MegaFace: one file per image in a tree", "[challenge]") {
  TempFolder folder;
  {
    ChallengeTreeWriter writer(folder / "tree", "uir");
    writer.add("a/b c/1.jpg", std::vector<float>{1, 2, 3});
    writer.add("2.png", std::vector<float>{4, 5, 6});
    CHECK(kind_of([&] { writer.add("2.png", std::vector<float>{7}); }) == ErrorKind::kData);
    CHECK(kind_of([&] { writer.add("../2.png", std::vector<float>{7}); }) == ErrorKind::kData);
    CHECK_FALSE(fs::exists(folder / "tree"));
    writer.commit();
  }
  const MappedMatrix file = open_challenge_file(folder / "tree/a/b c/1.jpg_uir.bin");
  CHECK(file.matrix().rows == 3);
  CHECK(file.matrix().cols == 1);
  CHECK(file.matrix().data[2] == 3);
  CHECK(read_text_file(folder / "tree/2.png_uir.bin").substr(0, 16) ==
        std::string("\3\0\0\0\1\0\0\0\4\0\0\0\5\0\0\0", 16));
  CHECK(std::distance(fs::recursive_directory_iterator(folder.path()), {}) == 5);  // no temporaries are left
}
