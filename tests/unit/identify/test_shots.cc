#include "uir/identify/shots.h"

#include <vector>

#include "support/catch.h"
#include "uir/base/random.h"

using namespace uir;

namespace {

// A scene of its own for every number, with noise and a slow drift of brightness.
Thumbnail picture(int scene, int frame) {
  Thumbnail thumbnail;
  ItemRandom random(2, RandomPurpose::kTest, 0, static_cast<uint64_t>(scene));
  ItemRandom noise(2, RandomPurpose::kTest, 1, static_cast<uint64_t>(scene * 1000 + frame));
  for (uint8_t& cell : thumbnail)
    cell = static_cast<uint8_t>(random.uniform(40, 200) + noise.uniform(-2, 2) + 0.3 * frame);
  return thumbnail;
}

std::vector<size_t> shots_of(const std::vector<Thumbnail>& frames) {
  ShotDetector detector;
  std::vector<bool> begins;
  for (const Thumbnail& frame : frames) {
    if (const auto one = detector.add(frame)) begins.push_back(*one);
  }
  while (const auto one = detector.finish()) begins.push_back(*one);
  REQUIRE(begins.size() == frames.size());
  std::vector<size_t> shots;
  for (size_t i = 0; i < begins.size(); ++i) {
    if (begins[i]) shots.push_back(i);
  }
  return shots;
}

std::vector<Thumbnail> scenes(const std::vector<int>& lengths) {
  std::vector<Thumbnail> frames;
  for (size_t scene = 0; scene < lengths.size(); ++scene) {
    for (int frame = 0; frame < lengths[scene]; ++frame)
      frames.push_back(picture(static_cast<int>(scene), frame));
  }
  return frames;
}

}  // namespace

TEST_CASE("Shots begin at cuts, and a film of any length has them", "[shots]") {
  CHECK(shots_of(scenes({30, 20, 4, 40})) == std::vector<size_t>{0, 30, 50, 54});
  CHECK(shots_of({}).empty());
  CHECK(shots_of(scenes({1})) == std::vector<size_t>{0});
  CHECK(shots_of(scenes({2})) == std::vector<size_t>{0});
  CHECK(shots_of(scenes({5, 1})) == std::vector<size_t>{0, 5});
}

TEST_CASE("A flash and a dissolve are no cuts", "[shots]") {
  std::vector<Thumbnail> flash = scenes({30});
  flash[15].fill(250);
  CHECK(shots_of(flash) == std::vector<size_t>{0});

  std::vector<Thumbnail> dissolve = scenes({20});
  for (int i = 0; i <= 20; ++i) {
    Thumbnail mixed;
    const Thumbnail from = picture(0, 20), to = picture(1, 0);
    for (size_t k = 0; k < mixed.size(); ++k)
      mixed[k] = static_cast<uint8_t>((from[k] * (20 - i) + to[k] * i) / 20);
    dissolve.push_back(mixed);
  }
  for (int frame = 0; frame < 20; ++frame) dissolve.push_back(picture(1, frame));
  CHECK(shots_of(dissolve) == std::vector<size_t>{0});
}

// Otherwise an interrupted analysis would not end alike.
TEST_CASE("What follows a cut does not depend on what was before it", "[shots]") {
  const std::vector<Thumbnail> frames = scenes({30, 12, 25, 3, 18});
  const std::vector<size_t> all = shots_of(frames);
  REQUIRE(all.size() == 5);
  for (const size_t begin : all) {
    std::vector<size_t> expected;
    for (const size_t shot : all) {
      if (shot >= begin) expected.push_back(shot - begin);
    }
    CHECK(shots_of({frames.begin() + static_cast<std::ptrdiff_t>(begin), frames.end()}) == expected);
  }
}
