#include "uir/pipeline/start_weights.h"
//
#include "support/catch.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "uir/data/index_builder.h"

using namespace uir;

namespace {

using Rows = std::vector<int64_t>;

SourceConfig people(const std::string& name, int64_t identities, int64_t first) {
  SourceConfig source;
  source.name = name;
  source.kind = SyntheticSource{identities, 1, first, 1};
  return source;
}

Index index_of(const TempFolder& folder, const std::vector<SourceConfig>& sources) {
  DataConfig data;
  data.sources = sources;
  build_index(data, folder / "index", 1);
  return Index::open(folder / "index");
}

}  // namespace

TEST_CASE("class centers without names go to labels, where the data have numbers as labels") {
  TempFolder folder;
  const Index whole = index_of(folder, {people("a", 4, 0)});
  CHECK(rows_of_classes(whole, 4) == Rows{0, 1, 2, 3});
  CHECK_FALSE(rows_of_classes(whole, 3));
  CHECK_FALSE(rows_of_classes(whole, 5));
  const Index without_first_two = index_of(folder, {people("a", 4, 2)});  // labels 2 … 5
  CHECK(rows_of_classes(without_first_two, 6) == Rows{2, 3, 4, 5});
  CHECK_FALSE(rows_of_classes(without_first_two, 4));
}

TEST_CASE("class centers without names go to classes by position elsewhere") {
  TempFolder folder;
  const Index two = index_of(folder, {people("a", 2, 0), people("b", 3, 7)});
  CHECK(rows_of_classes(two, 5) == Rows{0, 1, 2, 3, 4});
  CHECK_FALSE(rows_of_classes(two, 10));
  // Names of folders that look like numbers are names, in byte order: 0, 1, 10, 2.
  for (const std::string name : {"0", "1", "2", "10"}) {
    fs::create_directories(folder / ("faces/" + name));
    write_bytes(folder / ("faces/" + name + "/1.jpg"), "unreadable, but there");
  }
  SourceConfig tree;
  tree.name = "tree";
  tree.kind = FolderSource{{(folder / "faces").string()}, {}};
  const Index folders = index_of(folder, {tree});
  REQUIRE(folders.identity_name(2) == "10");
  CHECK(rows_of_classes(folders, 4) == Rows{0, 1, 2, 3});
  CHECK_FALSE(rows_of_classes(folders, 11));
}
