#include "uir/identify/shots.h"

#include <cstdlib>
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

std::vector<ShotDecision> decisions_of(const std::vector<Thumbnail>& frames) {
  ShotDetector detector;
  std::vector<ShotDecision> decisions;
  for (const Thumbnail& frame : frames) {
    if (const auto one = detector.add(frame)) decisions.push_back(*one);
  }
  while (const auto one = detector.finish()) decisions.push_back(*one);
  REQUIRE(decisions.size() == frames.size());
  return decisions;
}

std::vector<size_t> shots_of(const std::vector<Thumbnail>& frames) {
  const std::vector<ShotDecision> decisions = decisions_of(frames);
  std::vector<size_t> shots;
  for (size_t i = 0; i < decisions.size(); ++i) {
    if (decisions[i].begins) shots.push_back(i);
  }
  return shots;
}

// From one frame to another one, in so many steps.
void append_dissolve(std::vector<Thumbnail>& frames, const Thumbnail& from, const Thumbnail& to, int steps) {
  for (int i = 1; i < steps; ++i) {
    Thumbnail mixed;
    for (size_t k = 0; k < mixed.size(); ++k)
      mixed[k] = static_cast<uint8_t>((from[k] * (steps - i) + to[k] * i) / steps);
    frames.push_back(mixed);
  }
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

TEST_CASE("A flash is no cut", "[shots]") {
  std::vector<Thumbnail> flash = scenes({30});
  flash[15].fill(250);
  CHECK(shots_of(flash) == std::vector<size_t>{0});
}

TEST_CASE("A shot begins in the middle of a dissolve", "[shots]") {
  for (const int steps : {10, 14, 20, 25, 32, 50}) {
    std::vector<Thumbnail> frames = scenes({40});
    append_dissolve(frames, picture(0, 40), picture(1, 0), steps);
    for (int frame = 0; frame < 60; ++frame) frames.push_back(picture(1, frame));
    std::vector<size_t> shots;
    const std::vector<ShotDecision> decisions = decisions_of(frames);
    for (size_t i = 0; i < decisions.size(); ++i) {
      if (!decisions[i].begins) continue;
      shots.push_back(i);
      if (i > 0) CHECK(std::abs(static_cast<int>(2 * decisions[i].fade) - steps) <= steps / 4 + 2);
    }
    REQUIRE(shots.size() == 2);
    CHECK(std::abs(static_cast<int>(shots[1]) - (39 + steps / 2)) <= steps / 10 + 1);
  }
}

TEST_CASE("A camera that moves steadily makes no shots", "[shots]") {
  std::vector<Thumbnail> frames;
  ItemRandom random(5, RandomPurpose::kTest, 0, 0);
  std::vector<double> scene(400);
  for (double& x : scene) x = random.uniform(40, 200);
  for (int frame = 0; frame < 120; ++frame) {
    Thumbnail thumbnail;
    for (size_t i = 0; i < thumbnail.size(); ++i) {
      const double x = static_cast<double>(i % kThumbnailWidth) + 0.08 * frame;
      const auto left = static_cast<size_t>(x);
      thumbnail[i] = static_cast<uint8_t>(scene[left] +
                                          (x - static_cast<double>(left)) * (scene[left + 1] - scene[left]));
    }
    frames.push_back(thumbnail);
  }
  CHECK(shots_of(frames) == std::vector<size_t>{0});
}

// Otherwise an interrupted analysis would not end alike.
TEST_CASE("What follows a cut does not depend on what was before it", "[shots]") {
  std::vector<Thumbnail> frames = scenes({30, 12, 25, 3, 40});
  append_dissolve(frames, frames.back(), picture(7, 0), 20);
  for (int frame = 0; frame < 60; ++frame) frames.push_back(picture(7, frame));
  append_dissolve(frames, frames.back(), picture(8, 0), 14);
  for (int frame = 0; frame < 50; ++frame) frames.push_back(picture(8, frame));
  const std::vector<size_t> all = shots_of(frames);
  REQUIRE(all.size() == 7);
  for (const size_t begin : all) {
    std::vector<size_t> expected;
    for (const size_t shot : all) {
      if (shot >= begin) expected.push_back(shot - begin);
    }
    CHECK(shots_of({frames.begin() + static_cast<std::ptrdiff_t>(begin), frames.end()}) == expected);
  }
}
