#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.h"
#include "uir/yunet/decode.h"

using namespace uir;

namespace {

YuNetFace face(float x, float y, float width, float height, float score) {
  return {x, y, width, height, {}, score};
}
std::vector<float> scores(const std::vector<YuNetFace>& faces) {
  std::vector<float> result;
  for (const YuNetFace& each : faces) result.push_back(each.score);
  return result;
}

YuNetMap map_of(int64_t width, int64_t height, int64_t blocks) {
  YuNetMap map;
  map.resize(width, height, blocks);
  return map;
}
void set(YuNetMap& map, int64_t x, int64_t y, int64_t channel, float value) {
  map.row(y)[channel / kBlock * map.width + x].channels[channel % kBlock] = value;
}

}  // namespace

TEST_CASE("Of overlapping faces the best one stays, whole pixels of their boxes counted", "[yunet]") {
  CHECK(best_of_each({}).empty());
  // Two of 10x10 overlap by 0.3 where one is moved by 100 · (1 − 0.3) / 1.3 / 10 = 5.4 pixels.
  CHECK(scores(best_of_each({face(0, 0, 10, 10, .5f), face(5, 0, 10, 10, .9f)})) == std::vector{.9f});
  CHECK(scores(best_of_each({face(0, 0, 10, 10, .5f), face(6, 0, 10, 10, .9f)})) == std::vector{.9f, .5f});
  CHECK(scores(best_of_each({face(0, 0, 10, 10, .5f), face(5.99f, 0, 10.9f, 10.9f, .9f)})) ==
        std::vector{.9f});
  // One that is left out takes no other one with it.
  CHECK(scores(best_of_each({face(0, 0, 10, 10, .9f), face(5, 0, 10, 10, .8f), face(10, 0, 10, 10, .7f)})) ==
        std::vector{.9f, .7f});
  // Of equal ones the first.
  const auto equal = best_of_each({face(1, 0, 10, 10, .5f), face(2, 0, 10, 10, .5f), face(50, 0, 5, 5, .5f)});
  REQUIRE(equal.size() == 2);
  CHECK(equal[0].x == 1);
  CHECK(equal[1].x == 50);
  // Two of no whole pixel are the same.
  CHECK(best_of_each({face(0, 0, .5f, .5f, .9f), face(90, 90, .5f, .5f, .8f)}).size() == 1);
  CHECK(best_of_each({face(-1e30f, 0, 1e30f, 1, .9f), face(1e30f, 0, 1e30f, 1e30f, .8f)}).size() == 2);
}

TEST_CASE("Faces of 2023 stand where their cell and its numbers say", "[yunet]") {
  std::vector<YuNetMap> maps{map_of(8, 4, 1), map_of(4, 2, 1), map_of(2, 1, 1)};
  for (YuNetMap& map : maps) {
    for (int64_t y = 0; y < map.height; ++y) {
      for (int64_t x = 0; x < map.width; ++x) set(map, x, y, 0, -20);
    }
  }
  const float numbers[16] = {2, 1, .5f, .25f, std::log(3.f), std::log(2.f), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  for (int64_t c = 0; c < 16; ++c) set(maps[1], 3, 1, c, numbers[c]);
  const auto faces = decode(YuNetGeneration::k2023, maps, 0.5f);
  REQUIRE(faces.size() == 1);
  CHECK(faces[0].width == Approx(48));
  CHECK(faces[0].height == Approx(32));
  CHECK(faces[0].x == Approx(3.5 * 16 - 24));
  CHECK(faces[0].y == Approx(1.25 * 16 - 16));
  for (size_t i = 0; i < 10; ++i)
    CHECK(faces[0].points[i] == Approx((static_cast<double>(i) + 1 + (i % 2 ? 1 : 3)) * 16));
  CHECK(faces[0].score == Approx(std::sqrt(1 / (1 + std::exp(-2.)) / (1 + std::exp(-1.)))));
  CHECK(decode(YuNetGeneration::k2023, maps, faces[0].score).empty());
  CHECK(decode(YuNetGeneration::k2023, maps, std::nextafter(faces[0].score, 0.f)).size() == 1);
  CHECK(decode(YuNetGeneration::k2023, maps, 0).size() == 8 * 4 + 4 * 2 + 2);
  CHECK(decode(YuNetGeneration::k2023, maps, 1).empty());
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), 1e30f}) {
    set(maps[1], 3, 1, 4, bad);
    CHECK(decode(YuNetGeneration::k2023, maps, 0.5f).empty());
  }
}

TEST_CASE("Faces of 2022 stand where their prior box and its numbers say", "[yunet]") {
  std::vector<YuNetMap> maps{map_of(8, 4, 4), map_of(4, 2, 3), map_of(2, 1, 3), map_of(1, 1, 4)};
  for (YuNetMap& map : maps) {
    for (int64_t y = 0; y < map.height; ++y) {
      for (int64_t x = 0; x < map.width; ++x) {
        for (int64_t prior = 0; prior < 3; ++prior) {
          if (prior * 17 + 16 < map.blocks * kBlock) set(map, x, y, prior * 17 + 14, 20);
        }
      }
    }
  }
  constexpr int64_t kFirst = 17;  // the prior box of 48 pixels at scale 1
  const float numbers[17] = {1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1, 1, .9f};
  for (int64_t c = 0; c < 17; ++c) set(maps[1], 3, 1, kFirst + c, numbers[c]);
  const auto faces = decode(YuNetGeneration::k2022, maps, 0.5f);
  REQUIRE(faces.size() == 1);
  const double width = 48 * std::exp(.3), height = 48 * std::exp(.8);
  CHECK(faces[0].width == Approx(width));
  CHECK(faces[0].height == Approx(height));
  CHECK(faces[0].x == Approx(3.5 * 16 + 4.8 - width / 2));
  CHECK(faces[0].y == Approx(1.5 * 16 + 9.6 - height / 2));
  for (size_t i = 0; i < 10; ++i)
    CHECK(faces[0].points[i] == Approx((i % 2 ? 1.5 : 3.5) * 16 + 4.8 * (static_cast<double>(i) + 1)));
  CHECK(faces[0].score == Approx(std::sqrt(.9 / (1 + std::exp(-2.)))));
  CHECK(decode(YuNetGeneration::k2022, maps, std::nextafter(faces[0].score, 0.f)).size() == 1);
  set(maps[1], 3, 1, kFirst + 16, 3);  // an overlap counts up to 1
  CHECK(decode(YuNetGeneration::k2022, maps, 0.5f)[0].score == Approx(std::sqrt(1 / (1 + std::exp(-2.)))));
  set(maps[1], 3, 1, kFirst + 16, -3);
  CHECK(decode(YuNetGeneration::k2022, maps, 0.01f).empty());
}
