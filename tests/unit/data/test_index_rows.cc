#include "uir/data/index_rows.h"

#include <string_view>
#include <vector>

#include "support/catch.h"
#include "support/faces_on_disk.h"
#include "support/temp_folder.h"

using namespace uir;

TEST_CASE("Items find their rows within their set", "[item_rows]") {
  const TempFolder folder;
  const Index index = make_index(folder / "index", {synthetic_source("faces", Role::kLabeled, 2, 2),
                                                    synthetic_source("test", Role::kTest, 2, 1, 0)});
  const std::vector<std::string_view> items{"1/0", "0/0", "7/0", "1/0"};
  const IndexRows rows(index, "test", items);
  CHECK(rows.row(0) == 5);
  CHECK(rows.row(1) == 4);
  CHECK(rows.row(2) == -1);
  CHECK(rows.row(3) == 5);
  CHECK_FALSE(rows.complete());
  CHECK(IndexRows(index, "faces", std::vector<std::string_view>{"1/0", "1/1"}).complete());
  CHECK_FALSE(IndexRows(index, "elsewhere", std::vector<std::string_view>{"1/0"}).complete());
  CHECK(IndexRows(index, "elsewhere", std::vector<std::string_view>()).complete());
}
