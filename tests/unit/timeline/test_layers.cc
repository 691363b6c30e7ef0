#include "uir/timeline/layers.h"

#include "support/catch.h"
#include "support/timelines.h"

namespace uir {
namespace {

// Tick by tick.
using Grid = std::vector<bool>;

std::vector<Span> spans_of(const Grid& grid) {
  std::vector<Span> spans;
  for (int64_t i = 0; i < static_cast<int64_t>(grid.size()); ++i) {
    if (!grid[static_cast<size_t>(i)]) continue;
    if (!spans.empty() && spans.back().end == i) {
      ++spans.back().end;
    } else {
      spans.push_back({i, i + 1});
    }
  }
  return spans;
}

void fill(Grid& grid, int64_t begin, int64_t end) {
  for (int64_t i = std::max<int64_t>(0, begin); i < std::min<int64_t>(end, static_cast<int64_t>(grid.size()));
       ++i)
    grid[static_cast<size_t>(i)] = true;
}

std::vector<int64_t> shot_numbers(const Timeline& t) {
  std::vector<int64_t> shot;
  for (size_t i = 0; i < t.shots.size(); ++i)
    shot.resize(static_cast<size_t>(t.shots[i].end), static_cast<int64_t>(i));
  return shot;
}

// The definitions of docs/timeline.md, word by word, a tick at a time.
Grid visible_by_hand(const Timeline& t, const std::string& person, const LayerRules& rules) {
  const auto tps = static_cast<double>(t.film.ticks_per_second);
  const std::vector<int64_t> shot = shot_numbers(t);
  Grid grid(shot.size());
  for (const Track& track : t.tracks) {
    if (shown_name(track) == person) fill(grid, track.time.begin, track.time.end);
  }
  const std::vector<Span> spans = spans_of(grid);
  for (size_t i = 1; i < spans.size(); ++i) {
    const int64_t from = spans[i - 1].end, to = spans[i].begin;
    const bool same_shot = shot[static_cast<size_t>(from - 1)] == shot[static_cast<size_t>(to)];
    if (same_shot && static_cast<double>(to - from) <= rules.bridge * tps) fill(grid, from, to);
  }
  return grid;
}

Grid scenes_by_hand(const Timeline& t, const std::string& person, const LayerRules& rules) {
  const auto tps = static_cast<double>(t.film.ticks_per_second);
  const std::vector<int64_t> shot = shot_numbers(t);
  const Grid visible = visible_by_hand(t, person, rules);
  Grid grid = visible;
  const auto size = static_cast<int64_t>(grid.size());
  for (int64_t i = 0; i < size; ++i) {
    if (!visible[static_cast<size_t>(i)]) continue;
    for (const int64_t step : {-1, 1}) {
      for (int64_t k = i + step;
           k >= 0 && k < size && shot[static_cast<size_t>(k)] == shot[static_cast<size_t>(i)] &&
           static_cast<double>(std::abs(k - i)) <= rules.widen * tps;
           k += step)
        grid[static_cast<size_t>(k)] = true;
    }
  }
  const std::vector<Span> spans = spans_of(grid);
  for (size_t i = 1; i < spans.size(); ++i) {
    const int64_t from = spans[i - 1].end, to = spans[i].begin;
    const int64_t shots = shot[static_cast<size_t>(to - 1)] - shot[static_cast<size_t>(from)] + 1;
    if (static_cast<double>(to - from) <= rules.away * tps && shots <= rules.away_shots) fill(grid, from, to);
  }
  return grid;
}

TEST_CASE("layers against counting ticks", "[timeline]") {
  int several = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Dice dice(seed);
    Timeline t = made_up_timeline(seed, {.seconds = dice.between(20, 200),
                                         .shots = dice.between(1, 30),
                                         .tracks = dice.between(1, 40),
                                         .sights = 2,
                                         .ticks_per_second = 20});
    const LayerRules rules{.bridge = static_cast<double>(dice.below(5)) / 2,
                           .widen = static_cast<double>(dice.between(0, 12)),
                           .away = static_cast<double>(dice.below(20)),
                           .away_shots = dice.between(0, 4)};
    for (const std::string& person : shown_people(t)) {
      const auto visible = layer_of(t, Layer::kVisible, person, rules);
      const auto scenes = layer_of(t, Layer::kScenes, person, rules);
      REQUIRE(visible == spans_of(visible_by_hand(t, person, rules)));
      REQUIRE(scenes == spans_of(scenes_by_hand(t, person, rules)));
      several += visible.size() > 1 && scenes.size() > 1 && scenes.size() < visible.size();
    }
  }
  CHECK(several > 100);  // the cases are none that any rule passes
}

TEST_CASE("a dialogue is one scene, a stranger to the film has none", "[timeline]") {
  Timeline t;
  t.film.ticks_per_second = 10;
  t.film.shown = {0, 1000};
  for (int64_t i = 0; i < 25; ++i) t.shots.push_back({i * 40, i * 40 + 40});
  const auto add = [&](int64_t shot, int64_t begin, int64_t end) {
    Track track;
    track.id = static_cast<int64_t>(t.tracks.size()) + 1;
    track.time = {begin, end};
    track.shot = shot;
    track.verdict = Verdict::kKnown;
    track.person = "Anna";
    t.tracks.push_back(track);
  };
  add(1, 45, 70);
  add(3, 121, 150);   // a reverse shot of four seconds in between
  add(12, 490, 500);  // far away
  CHECK(layer_of(t, Layer::kVisible, "Anna") == std::vector<Span>{{45, 70}, {121, 150}, {490, 500}});
  CHECK(layer_of(t, Layer::kScenes, "Anna") == std::vector<Span>{{40, 160}, {480, 520}});
  CHECK(layer_of(t, Layer::kScenes, "Ben").empty());
  CHECK(complement({{40, 160}, {480, 520}}, t.film.shown) ==
        std::vector<Span>{{0, 40}, {160, 480}, {520, 1000}});
  CHECK(complement({}, {3, 4}) == std::vector<Span>{{3, 4}});
  CHECK(complement({{0, 5}}, {0, 5}).empty());
}

TEST_CASE("people are shown in the gallery's order, then by name, then strangers by number", "[timeline]") {
  Timeline t;
  t.people = {{"Zoe", 1}, {"Anna", 1}, {"Nobody", 1}};
  for (const std::string name : {"Mia", "Anna", "Ben", "Zoe", "Anna"}) {
    Track track;
    track.verdict = Verdict::kKnown;
    track.person = name;
    t.tracks.push_back(track);
  }
  for (const int64_t stranger : {10, 2, 0}) {
    Track track;
    track.verdict = Verdict::kStranger;
    track.stranger = stranger;
    t.tracks.push_back(track);
  }
  CHECK(shown_people(t) ==
        std::vector<std::string>{"Zoe", "Anna", "Ben", "Mia", "stranger 2", "stranger 10"});
}

}  // namespace
}  // namespace uir
