#include "uir/base/box_overlap.h"

#include "support/catch.h"

using namespace uir;

TEST_CASE("The overlap of boxes is their common part of what both cover", "[box]") {
  CHECK(overlap_of({0, 0, 10, 10}, {0, 0, 10, 10}) == Approx(1));
  CHECK(overlap_of({0, 0, 10, 10}, {5, 0, 15, 10}) == Approx(1. / 3));
  CHECK(overlap_of({0, 0, 10, 10}, {2, 2, 4, 4}) == Approx(0.04));
  CHECK(overlap_of({0, 0, 10, 10}, {10, 0, 20, 10}) == 0);
  CHECK(overlap_of({3, 3, 3, 3}, {3, 3, 3, 3}) == 0);
}
