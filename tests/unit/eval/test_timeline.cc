#include "uir/eval/timeline.h"

#include <map>
#include <set>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/eval/appearances.h"
#include "uir/eval/timeline_score.h"
#include "uir/report/report.h"

namespace uir {
namespace {

struct Row {
  std::string video;
  int64_t start = 0, end = 0;  // milliseconds
  std::string person{};        // none: a span
};
using Rows = std::vector<Row>;

std::string seconds_text(int64_t milliseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(milliseconds / 1000),
                static_cast<long long>(milliseconds % 1000));
  return text;
}

std::string csv(const Rows& rows) {
  std::string text = "video,start,end,person\n";
  for (const Row& row : rows)
    text +=
        concat(row.video, ",", seconds_text(row.start), ",", seconds_text(row.end), ",", row.person, "\n");
  return text;
}

ProtocolResult run(const std::string& reference, const std::string& hypothesis, const std::string& spans = "",
                   double collar = 0) {
  TempFolder folder;
  TimelineProtocol config;
  config.reference = {{(folder / "reference.csv").string()}};
  config.hypothesis = {{(folder / "hypothesis.csv").string()}};
  config.collar = collar;
  write_file_atomically(config.reference[0].value, reference);
  write_file_atomically(config.hypothesis[0].value, hypothesis);
  if (!spans.empty()) {
    config.spans.value = (folder / "spans.csv").string();
    write_file_atomically(config.spans.value, spans);
  }
  return run_timeline("t", config);
}
ProtocolResult run(const Rows& reference, const Rows& hypothesis, const Rows& spans = {}, double collar = 0) {
  return run(csv(reference), csv(hypothesis), spans.empty() ? "" : csv(spans), collar);
}

// --- Brute force: every definition of docs/protocols.md at every millisecond -------------------------------

constexpr int64_t kEnd = 9000;
using Grid = std::vector<int>;

bool is_stranger(const std::string& person) {
  return person[0] == '?' || person == "unsure" || person == "too small" || person.rfind("stranger ", 0) == 0;
}
bool is_told_apart(const std::string& person) {
  return is_stranger(person) && person != "?" && person != "unsure" && person != "too small";
}

// Who is there at each millisecond of one video: 0 or 1, and of those not told (under "?") how many.
std::map<std::string, Grid> grids_of(const Rows& rows, const std::string& video) {
  std::map<std::string, Grid> grids;
  for (const Row& row : rows) {
    if (row.video != video) continue;
    const bool counted = is_stranger(row.person) && !is_told_apart(row.person);
    Grid& grid = grids[counted ? "?" : row.person];
    grid.resize(kEnd);
    for (int64_t t = row.start; t < row.end; ++t) grid[t] = counted ? grid[t] + 1 : 1;
  }
  return grids;
}

Rows runs_of(const Grid& grid) {
  Rows runs;
  for (int64_t t = 0; t < kEnd; ++t) {
    if (grid[t] == 0) continue;
    if (t == 0 || grid[t - 1] == 0) runs.push_back({"", t, t});
    runs.back().end = t + 1;
  }
  return runs;
}

int64_t common(const Row& run, const Grid& grid) {
  int64_t sum = 0;
  for (int64_t t = run.start; t < run.end; ++t) sum += grid[t] > 0;
  return sum;
}

struct BruteNames {
  int64_t reference = 0, hypothesis = 0, common = 0, difference = 0;
  int64_t appearances = 0, theirs = 0, not_identified = 0, false_names = 0, matched = 0;
};

struct Brute {
  int64_t evaluated = 0, people = 0, confusion = 0, false_alarm = 0, miss = 0;
  std::map<std::string, BruteNames> names;
  int64_t strangers = 0, clusters = 0, met = 0, largest = 0;

  void add(const Rows& reference, const Rows& hypothesis, const Grid& spans, const std::string& video,
           int64_t half_collar) {
    auto ours = grids_of(reference, video), theirs = grids_of(hypothesis, video);
    for (int64_t t = 0; t < kEnd; ++t) evaluated += spans[t];
    add_errors(ours, theirs, without_collars(spans, reference, ours, video, half_collar));
    for (auto* grids : {&ours, &theirs}) {
      for (auto& [label, grid] : *grids) {
        for (int64_t t = 0; t < kEnd; ++t) grid[t] *= spans[t];
      }
    }
    std::set<std::string> labels;
    for (auto* grids : {&ours, &theirs}) {
      for (auto& [label, grid] : *grids) labels.insert(label);
    }
    for (const std::string& label : labels) {
      if (is_stranger(label)) continue;
      for (auto* grids : {&ours, &theirs}) (*grids)[label].resize(kEnd);
      add_name(ours[label], theirs[label], names[label]);
    }
    add_clusters(ours, theirs);
  }

  static Grid without_collars(Grid spans, const Rows& reference, std::map<std::string, Grid>& grids,
                              const std::string& video, int64_t half) {
    Rows united;
    for (const auto& [label, grid] : grids) {
      if (label != "?")
        for (const Row& run : runs_of(grid)) united.push_back(run);
    }
    for (const Row& row : reference) {
      if (row.video == video && is_stranger(row.person) && !is_told_apart(row.person)) united.push_back(row);
    }
    for (const Row& row : united) {
      for (const int64_t edge : {row.start, row.end}) {
        for (int64_t t = std::max<int64_t>(edge - half, 0); t < std::min(edge + half, kEnd); ++t)
          spans[t] = 0;
      }
    }
    return spans;
  }

  void add_errors(const std::map<std::string, Grid>& ours, const std::map<std::string, Grid>& theirs,
                  const Grid& scored) {
    for (int64_t t = 0; t < kEnd; ++t) {
      if (scored[t] == 0) continue;
      int64_t r = 0, h = 0, right = 0, r_strangers = 0, h_strangers = 0;
      for (const auto& [label, grid] : ours) {
        r += grid[t];
        if (is_stranger(label)) {
          r_strangers += grid[t];
        } else if (theirs.contains(label)) {
          right += std::min(grid[t], theirs.at(label)[t]);
        }
      }
      for (const auto& [label, grid] : theirs) {
        h += grid[t];
        if (is_stranger(label)) h_strangers += grid[t];
      }
      right += std::min(r_strangers, h_strangers);
      people += r;
      confusion += std::min(r, h) - right;
      false_alarm += std::max<int64_t>(h - r, 0);
      miss += std::max<int64_t>(r - h, 0);
    }
  }

  static void add_name(const Grid& ours, const Grid& theirs, BruteNames& name) {
    int64_t r = 0, h = 0;
    for (int64_t t = 0; t < kEnd; ++t) {
      r += ours[t];
      h += theirs[t];
      name.common += ours[t] && theirs[t];
    }
    name.reference += r;
    name.hypothesis += h;
    name.difference += std::max(r - h, h - r);
    for (const Row& a : runs_of(ours)) {
      ++name.appearances;
      name.not_identified += 2 * common(a, theirs) < a.end - a.start;
      for (const Row& b : runs_of(theirs)) {
        const int64_t both = std::min(a.end, b.end) - std::max(a.start, b.start);
        name.matched += both > 0 && 2 * both >= std::max(a.end, b.end) - std::min(a.start, b.start);
      }
    }
    for (const Row& b : runs_of(theirs)) {
      ++name.theirs;
      name.false_names += 2 * common(b, ours) < b.end - b.start;
    }
  }

  void add_clusters(const std::map<std::string, Grid>& ours, const std::map<std::string, Grid>& theirs) {
    for (const auto& [label, grid] : ours) strangers += is_told_apart(label) && !runs_of(grid).empty();
    for (const auto& [label, cluster] : theirs) {
      if (!is_told_apart(label)) continue;
      int64_t with_anybody = 0, with_best = 0;
      for (const auto& [person, grid] : ours) {
        int64_t together = 0;
        for (int64_t t = 0; t < kEnd; ++t) together += person != "?" && cluster[t] && grid[t];
        with_best = std::max(with_best, together);
      }
      for (int64_t t = 0; t < kEnd; ++t) {
        bool anybody = false;
        for (const auto& [person, grid] : ours) anybody |= person != "?" && grid[t] > 0;
        with_anybody += anybody && cluster[t];
      }
      clusters += with_anybody > 0;
      met += with_anybody;
      largest += with_best;
    }
  }

  std::map<std::string, double> figures() const {
    const auto over = [](double a, double b) { return b == 0 ? std::nan("") : a / b; };
    const auto rate = [&](int64_t n) {
      return people > 0 ? over(static_cast<double>(n), static_cast<double>(people)) : n > 0 ? 1 : 0;
    };
    BruteNames all;
    double f1 = 0, ap = 0, known = 0;
    for (const auto& [label, n] : names) {
      all.reference += n.reference, all.hypothesis += n.hypothesis, all.common += n.common;
      all.difference += n.difference, all.appearances += n.appearances;
      all.not_identified += n.not_identified, all.false_names += n.false_names;
      if (n.reference == 0) continue;
      known += 1;
      f1 += 2.0 * n.common / (n.reference + n.hypothesis);
      ap += n.theirs == 0 ? 0 : 1.0 * n.matched / n.theirs * n.matched / n.appearances;
    }
    const double hours = evaluated / 3.6e6;
    return {{"hours", hours},
            {"reference_person_hours", people / 3.6e6},
            {"ier", rate(confusion + false_alarm + miss)},
            {"confusion", rate(confusion)},
            {"false_alarm", rate(false_alarm)},
            {"miss", rate(miss)},
            {"precision", over(all.common, all.hypothesis)},
            {"recall", over(all.common, all.reference)},
            {"f1", over(2.0 * all.common, all.reference + all.hypothesis)},
            {"mean_f1", over(f1, known)},
            {"screen_time_error", over(all.difference, all.reference)},
            {"interval_map_at_iou_0.5", over(ap, known)},
            {"fnir", over(all.not_identified, all.appearances)},
            {"false_names_per_hour", over(all.false_names, hours)},
            {"false_person_seconds_per_hour", over((all.hypothesis - all.common) / 1e3, hours)},
            {"cluster_purity", over(largest, met)},
            {"cluster_ratio", over(clusters, strangers)}};
  }
};

Grid spans_of(const Rows& spans, const Rows& reference, const Rows& hypothesis, const std::string& video) {
  Grid grid(kEnd);
  const auto fill = [&](int64_t from, int64_t to) {
    for (int64_t t = from; t < to; ++t) grid[t] = 1;
  };
  for (const Row& span : spans) {
    if (span.video == video) fill(span.start, span.end);
  }
  if (!spans.empty()) return grid;
  int64_t from = kEnd, to = 0;
  for (const Rows* rows : {&reference, &hypothesis}) {
    for (const Row& row : *rows) {
      if (row.video == video) from = std::min(from, row.start), to = std::max(to, row.end);
    }
  }
  fill(from, to);
  return grid;
}

std::map<std::string, double> brute_figures(const Rows& reference, const Rows& hypothesis, const Rows& spans,
                                            int64_t half_collar) {
  Brute brute;
  std::set<std::string> videos;
  for (const Rows* rows : {&reference, &hypothesis, &spans}) {
    for (const Row& row : *rows) videos.insert(row.video);
  }
  for (const std::string& video : videos)
    brute.add(reference, hypothesis, spans_of(spans, reference, hypothesis, video), video, half_collar);
  return brute.figures();
}

class RandomRows {
 public:
  explicit RandomRows(uint64_t seed) : random_(seed, RandomPurpose::kTest, 0, 0) {}
  int64_t below(int64_t n) { return static_cast<int64_t>(random_.below(static_cast<uint64_t>(n))); }

  Rows rows(int64_t at_most, const std::vector<std::string>& people) {
    Rows rows;
    for (int64_t i = below(at_most + 1); i > 0; --i) {
      const int64_t length = 1 + below(below(2) == 0 ? 200 : 3000), start = below(kEnd - length);
      rows.push_back({concat("v", below(3)), start, start + length,
                      people[static_cast<size_t>(below(std::ssize(people)))]});
    }
    return rows;
  }
  // The rows with starts, ends and people a little changed, some left out, some doubled.
  Rows like(const Rows& rows, const std::vector<std::string>& people) {
    Rows changed;
    for (Row row : rows) {
      if (below(8) == 0) continue;
      if (below(4) == 0) row.person = people[static_cast<size_t>(below(std::ssize(people)))];
      if (below(2) == 0) row.start = std::max<int64_t>(row.start - below(300), 0);
      if (below(2) == 0) row.end = std::min(row.end + below(300), kEnd);
      if (below(4) == 0) changed.push_back(row);
      changed.push_back(row);
    }
    return changed;
  }

 private:
  ItemRandom random_;
};

void check_figures(const ProtocolResult& result, const std::map<std::string, double>& expected) {
  CHECK(result.numbers.size() == expected.size());
  for (const auto& [name, value] : expected) {
    INFO(name);
    const double ours = result.value_of(name);
    if (std::isnan(value)) {
      CHECK(std::isnan(ours));
    } else {
      CHECK(ours == Approx(value).epsilon(1e-12).margin(1e-15));
    }
  }
}

const std::vector<std::string> kPeople{"anna", "bob", "?", "?x", "?y", "stranger 1", "stranger 2"};
const std::vector<std::string> kFound{"anna",       "bob", "ghost",  "?",        "stranger 1",
                                      "stranger 2", "?x",  "unsure", "too small"};

}  // namespace

TEST_CASE("every figure equals brute force at every millisecond") {
  for (uint64_t seed = 0; seed < 150; ++seed) {
    INFO(seed);
    RandomRows random(seed);
    const Rows reference = random.rows(seed % 7 == 0 ? 2 : 14, kPeople);
    Rows hypothesis = seed % 5 == 0 ? random.rows(10, kFound) : random.like(reference, kFound);
    if (!reference.empty()) hypothesis.push_back({reference[0].video, 100, 101, "?"});  // a video in common
    const Rows spans = seed % 3 == 0 ? Rows{} : random.rows(6, {"span"});
    const int64_t half_collar = seed % 4 == 1 ? 125 : 0;
    check_figures(run(reference, hypothesis, spans, 2e-3 * static_cast<double>(half_collar)),
                  brute_figures(reference, hypothesis, spans, half_collar));
  }
}

TEST_CASE("identification errors: confusion, false alarm and miss by hand") {
  // 10 s of Anna, 10 s of a stranger; the hypothesis begins 2 s late, calls her Bob for 3 s, and names the
  // stranger for 4 s.
  const ProtocolResult result =
      run(Rows{{"a", 0, 10000, "Anna"}, {"a", 20000, 30000, "?"}}, Rows{{"a", 2000, 7000, "Anna"},
                                                                        {"a", 7000, 10000, "Bob"},
                                                                        {"a", 20000, 24000, "Anna"},
                                                                        {"a", 24000, 30000, "stranger 3"},
                                                                        {"a", 30000, 31000, "?"}});
  CHECK(result.value_of("confusion") == Approx(7.0 / 20));
  CHECK(result.value_of("miss") == Approx(2.0 / 20));
  CHECK(result.value_of("false_alarm") == Approx(1.0 / 20));
  CHECK(result.value_of("ier") == Approx(10.0 / 20));
  CHECK(result.value_of("precision") == Approx(5.0 / 12));
  CHECK(result.value_of("recall") == Approx(5.0 / 10));
  CHECK(result.value_of("f1") == Approx(10.0 / 22));
  CHECK(result.value_of("mean_f1") == Approx(10.0 / 19));
  CHECK(result.value_of("screen_time_error") == Approx((1 + 3) / 10.0));
  // Anna from 2 to 7 s is confirmed, at 20 s and Bob are not: two in 31 s.
  CHECK(result.value_of("false_names_per_hour") == Approx(2 * 3600 / 31.0));
  CHECK(result.value_of("false_person_seconds_per_hour") == Approx(7 * 3600 / 31.0));
  CHECK(result.value_of("fnir") == 0);  // half of her 10 s
  CHECK(result.value_of("interval_map_at_iou_0.5") == Approx(.5));
  CHECK(std::isnan(result.value_of("cluster_purity")));  // nobody knows who ? is
}

TEST_CASE("strangers are counted: two of them at once, one of them named, none of them a name in common") {
  const Rows two{{"a", 0, 10000, "?"}, {"a", 0, 10000, "?"}};
  CHECK(run(two, two).value_of("ier") == 0);
  CHECK(std::isnan(run(two, two).value_of("precision")));
  CHECK(std::isnan(run(two, two).value_of("recall")));
  CHECK(run(two, {{"a", 0, 10000, "unsure"}, {"a", 0, 10000, "too small"}}).value_of("ier") == 0);
  CHECK(run(two, {{"a", 0, 10000, "?"}}).value_of("miss") == .5);
  const ProtocolResult named = run(two, {{"a", 0, 10000, "?"}, {"a", 0, 10000, "Anna"}});
  CHECK(named.value_of("confusion") == .5);
  CHECK(named.value_of("precision") == 0);
}

TEST_CASE("a person who is seen by two tracks is there once; brief appearances count") {
  const Rows truth{{"a", 0, 10000, "Anna"}};
  CHECK(run(truth, {{"a", 0, 6000, "Anna"}, {"a", 5000, 10000, "Anna"}}).value_of("ier") == 0);
  CHECK(
      run(truth, {{"a", 0, 6000, "Anna"}, {"a", 6000, 10000, "Anna"}}).value_of("interval_map_at_iou_0.5") ==
      1);
  CHECK(run(truth, {{"a", 0, 10000, "stranger 1"}, {"a", 0, 10000, "stranger 1"}}).value_of("false_alarm") ==
        0);
  CHECK(run(Rows{{"a", 0, 100, "Anna"}, {"a", 9000, 9900, "Anna"}}, {{"a", 9000, 9900, "Anna"}})
            .value_of("miss") == Approx(.1));
}

TEST_CASE("a collar hides brief misses from the error rate, and from nothing else") {
  Rows truth;
  for (int64_t i = 0; i < 20; ++i) truth.push_back({"a", 2000 * i, 2000 * i + 400, "Anna"});
  truth.push_back({"a", 50000, 60000, "Anna"});
  const Rows found{{"a", 50000, 60000, "Anna"}};
  CHECK(run(truth, found).value_of("ier") == Approx(8.0 / 18));
  CHECK(run(truth, found, {}, .5).value_of("ier") == 0);
  CHECK(run(truth, found, {}, .5).value_of("recall") == Approx(10.0 / 18));
  CHECK(run(truth, found, {}, .5).value_of("fnir") == Approx(20.0 / 21));
  // Half of it on either side: 9.5 of the 10 s are left.
  CHECK(run(found, Rows{{"a", 0, 1, "?"}}, {}, .5).value_of("reference_person_hours") == Approx(9.5 / 3600));
}

TEST_CASE("an empty reference: false seconds are 100 %, none are 0") {
  const std::string nobody = "video,start,end,person\n";
  const ProtocolResult falsely = run(nobody, csv({{"a", 0, 1000, "Anna"}}));
  CHECK(falsely.value_of("ier") == 1);
  CHECK(falsely.value_of("false_alarm") == 1);
  CHECK(falsely.value_of("miss") == 0);
  CHECK(std::isnan(falsely.value_of("recall")));
  CHECK(falsely.value_of("precision") == 0);
  CHECK(run(nobody, nobody).value_of("ier") == 0);
  CHECK(std::isnan(run(nobody, nobody).value_of("false_names_per_hour")));
  const ProtocolResult quiet = run(nobody, nobody, csv({{"a", 0, 3600000}}));
  CHECK(quiet.value_of("hours") == 1);
  CHECK(quiet.value_of("false_names_per_hour") == 0);
  CHECK(run(csv({{"a", 0, 1000, "Anna"}}), nobody).value_of("ier") == 1);
}

TEST_CASE("only what the spans hold is measured; a video that one timeline lacks counts against it") {
  const Rows truth{{"a", 0, 10000, "Anna"}, {"b", 0, 10000, "Bob"}};
  const Rows found{{"a", 5000, 20000, "Anna"}};
  CHECK(run(truth, found).value_of("miss") == Approx(15.0 / 20));
  CHECK(run(truth, found).value_of("hours") == Approx(30.0 / 3600));
  const ProtocolResult spans = run(truth, found, {{"a", 4000, 6000}, {"a", 5500, 12000}, {"c", 0, 2000}});
  CHECK(spans.value_of("reference_person_hours") == Approx(6.0 / 3600));
  CHECK(spans.value_of("miss") == Approx(1.0 / 6));
  CHECK(spans.value_of("false_alarm") == Approx(2.0 / 6));
  CHECK(spans.value_of("hours") == Approx(10.0 / 3600));
  REQUIRE(spans.details["videos"].size() == 2);
  CHECK(spans.details["videos"][1]["video"] == "c");
  CHECK(spans.details["videos"][1]["ier"] == 0);
  CHECK(spans.details["people"].size() == 1);  // nobody saw Bob there
}

TEST_CASE("clusters of strangers: purity by the person met longest, and how many there are") {
  const Rows truth{{"a", 0, 10000, "?anna"},
                   {"a", 10000, 20000, "?bob"},
                   {"a", 20000, 26000, "Carl"},
                   {"b", 0, 5000, "?anna"},
                   {"b", 8000, 9000, "?"}};
  const Rows found{{"a", 0, 8000, "stranger 1"},      {"a", 10000, 14000, "stranger 1"},
                   {"a", 14000, 20000, "stranger 2"}, {"a", 20000, 24000, "stranger 2"},
                   {"b", 0, 5000, "stranger 1"},      {"b", 8000, 9000, "stranger 7"}};
  const ProtocolResult result = run(truth, found);
  CHECK(result.value_of("cluster_purity") == Approx((8.0 + 6 + 5) / (12 + 10 + 5)));
  CHECK(result.value_of("cluster_ratio") == 1);  // 1 and 2 of a, 1 of b; what 7 of b is nobody knows
  CHECK(result.value_of("confusion") == Approx(4.0 / 32));  // strangers are no names
}

TEST_CASE("timelines without any video in common are another film's, unless spans name the videos") {
  const Rows truth{{"film.mp4", 0, 1000, "Anna"}}, found{{"film", 0, 1000, "Anna"}};
  const std::string said = brute::error_of(ErrorKind::kData, [&] { run(truth, found); });
  CHECK_THAT(said, contains_text("hypothesis.csv: has no video in common with the reference ('film', there "
                                 "'film.mp4')"));
  CHECK(run(truth, found, {{"film.mp4", 0, 1000}}).value_of("miss") == 1);
}

}  // namespace uir
