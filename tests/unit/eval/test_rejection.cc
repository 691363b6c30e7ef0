#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/eval/embedding_sets.h"
#include "uir/eval/quantile.h"
#include "uir/eval/rejection.h"
#include "uir/report/report.h"

namespace uir {
namespace {

// classes.npy and labels in memory.
struct Faces {
  std::vector<float> classes;
  std::vector<int64_t> labels;
  void add(int64_t best, float cosine, float probability, int64_t label) {
    for (float x : {static_cast<float>(best), cosine, probability}) classes.push_back(x);
    labels.push_back(label);
  }
  // Of a store of version 1, which has no log odds.
  ClassifiedSet set(std::string name) const {
    return {std::move(name), {classes.data(), static_cast<int64_t>(labels.size()), 3}, labels};
  }
  // Log odds are twice the cosine.
  ClassifiedSet set_with_odds(std::string name) {
    with_odds.clear();
    for (size_t i = 0; i < classes.size(); i += 3) {
      with_odds.insert(with_odds.end(), {classes[i], classes[i + 1], classes[i + 2], 2 * classes[i + 1]});
    }
    return {std::move(name), {with_odds.data(), static_cast<int64_t>(labels.size()), 4}, labels};
  }

  std::vector<float> with_odds;
};

double accepted(const std::vector<double>& values, double t) { return brute::share_at_least(values, t); }

}  // namespace

TEST_CASE("rejection by hand") {
  Faces known, strangers;
  for (int i = 0; i < 10; ++i)
    known.add(i, 0.1F * static_cast<float>(i), 0.5F + 0.05F * static_cast<float>(i), i < 4 ? 99 : i);
  for (int i = 0; i < 4; ++i)
    strangers.add(0, 0.2F * static_cast<float>(i), 0.25F * static_cast<float>(i), -1);
  RejectionProtocol config;
  config.keep = {0.9, 1.0, 0.85};
  config.false_acceptance = 0.25;
  const ClassifiedSet k = known.set("k"), s = strangers.set("s");
  const RejectionResult result = measure_rejection({&k, 1}, {&s, 1}, config);
  CHECK(result.num_known == 10);
  CHECK(result.num_strangers == 4);
  CHECK(result.rank1 == 0.6);
  // Cosines of strangers 0 .2 .4 .6. Keeping 9 of 10: threshold .1, below it one of four strangers.
  CHECK(result.cosine.keep[0].threshold == 0.1F);
  CHECK(result.cosine.keep[0].strangers_below == 0.25);
  CHECK(result.cosine.keep[1].threshold == 0);
  CHECK(result.cosine.keep[1].strangers_below == 0);
  CHECK(result.cosine.keep[2].threshold == 0.1F);  // 8 of 10 would be too few
  // One of four strangers may pass: the next float above .4.
  CHECK(result.cosine.chosen.threshold == std::nextafter(0.4F, 1.0F));
  CHECK(result.cosine.chosen.strangers_accepted == 0.25);
  CHECK(result.cosine.chosen.known_accepted == 0.5);  // .5 … .9
  CHECK(result.cosine.chosen.known_accepted_right == 0.5);
  CHECK(result.probability.chosen.threshold == std::nextafter(0.5F, 1.0F));
  CHECK(result.probability.chosen.known_accepted == 0.9);
  CHECK(result.probability.chosen.known_accepted_right == 0.6);
  CHECK(result.strangers_mean_probability == 0.375);
  CHECK(result.strangers_median_probability == 0.25);
  // Six faces .4 … .9 are in the right class: 6, 6 and 6 of them are needed for 90, 100 and 85 %.
  REQUIRE(result.cosine.keep_right.size() == 3);
  CHECK(result.cosine.keep_right[0].threshold == 0.4F);
  CHECK(result.cosine.keep_right[0].strangers_below == 0.5);
  CHECK(result.probability.keep_right[1].threshold == 0.7F);
  CHECK(result.probability.keep_right[1].strangers_below == 0.75);
  CHECK(!result.log_odds);
}

TEST_CASE("log odds are a measure of their own, where all sets have them") {
  Faces known, strangers;
  for (const float cosine : {0.2F, 0.5F, 0.9F}) known.add(0, cosine, 1, cosine > 0.3F ? 0 : 1);
  for (const float cosine : {-1.F, 0.3F, 0.6F}) strangers.add(0, cosine, 1, -1);
  RejectionProtocol config;
  config.keep = {0.6};
  config.false_acceptance = 0.4;
  const ClassifiedSet k = known.set_with_odds("k"), s = strangers.set_with_odds("s"), old = known.set("old");
  const RejectionResult result = measure_rejection({&k, 1}, {&s, 1}, config);
  // Probabilities of 1 tell nobody apart; log odds do.
  CHECK(result.probability.keep[0].strangers_below == 0);
  REQUIRE(result.log_odds);
  CHECK(result.log_odds->keep[0].threshold == 1);
  CHECK(result.log_odds->keep[0].strangers_below == Approx(2.0 / 3));
  CHECK(result.log_odds->keep_right[0].threshold == 1);
  CHECK(result.log_odds->chosen.threshold == std::nextafter(0.6F, 9.F));
  CHECK(result.log_odds->known.low == -2);
  CHECK(result.log_odds->known.high == 2);
  const ProtocolResult report = run_rejection("rejection", {&k, 1}, {&s, 1}, config);
  CHECK(report.value_of("strangers_rejected_keeping_0.6_by_log_odds") == Approx(2.0 / 3));
  CHECK(report.value_of("strangers_rejected_keeping_0.6_right_by_log_odds") == Approx(2.0 / 3));
  CHECK(report.details["threshold"]["log_odds"]["threshold"].get<float>() == std::nextafter(0.6F, 9.F));
  CHECK(!measure_rejection({&old, 1}, {&s, 1}, config).log_odds);
}

TEST_CASE("thresholds keep their promises and are the tightest that do, with ties") {
  const int levels = GENERATE(2, 10, 1000);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    ItemRandom random(seed, RandomPurpose::kTest, 0, 0);
    Faces known, strangers;
    std::vector<double> known_values, stranger_values;
    const auto draw = [&](double shift) {
      return static_cast<float>(std::round((random.uniform() + shift) * levels) / levels);
    };
    for (int i = 0; i < 57; ++i)
      known.add(1, 0, draw(0.3), i % 3), known_values.push_back(known.classes.back());
    for (int i = 0; i < 41; ++i)
      strangers.add(1, 0, draw(0), -1), stranger_values.push_back(strangers.classes.back());
    RejectionProtocol config;
    config.keep = {0, 0.5, 0.9, 0.99, 1};
    config.false_acceptance = GENERATE(0.0, 0.01, 0.1, 0.5, 1.0);
    const ClassifiedSet k = known.set("k"), s = strangers.set("s");
    const RejectionMeasure curve = measure_rejection({&k, 1}, {&s, 1}, config).probability;
    for (const KeepResult& keep : curve.keep) {
      CHECK(accepted(known_values, keep.threshold) >= keep.keep);
      const double higher = std::nextafter(static_cast<float>(keep.threshold), 9.0F);
      if (keep.keep > 0) CHECK(accepted(known_values, higher) < keep.keep);
      CHECK(keep.strangers_below == Approx(1 - accepted(stranger_values, keep.threshold)).margin(1e-15));
    }
    const ThresholdChoice& chosen = curve.chosen;
    CHECK(chosen.strangers_accepted == accepted(stranger_values, chosen.threshold));
    CHECK(chosen.strangers_accepted <= config.false_acceptance);
    const double lower = std::nextafter(static_cast<float>(chosen.threshold), -9.0F);
    if (config.false_acceptance < 1) CHECK(accepted(stranger_values, lower) > config.false_acceptance);
    CHECK(chosen.known_accepted == accepted(known_values, chosen.threshold));
  }
}

TEST_CASE("a share of n values is counted without rounding up twice") {
  CHECK(count_of_share(0.55, 20) == 11);  // 0.55 · 20 = 11.000000000000002
  CHECK(count_of_share(0.99, 100) == 99);
  CHECK(count_of_share(0.5, 3) == 2);
  CHECK(count_of_share(0, 5) == 0);
  CHECK(count_of_share(1, 5) == 5);
  for (size_t n = 1; n < 200; ++n) {
    for (size_t k = 0; k <= n; ++k)
      CHECK(count_of_share(static_cast<double>(k) / static_cast<double>(n), n) == k);
  }
}

TEST_CASE("several sets are joined, and the thresholds saved for use") {
  TempFolder folder;
  Faces a, b, c;
  a.add(0, 0.9F, 0.9F, 0);
  b.add(1, 0.8F, 0.7F, 1);
  b.add(1, 0.7F, 0.6F, 0);
  c.add(1, 0.3F, 0.2F, -1);
  const std::vector<ClassifiedSet> known{a.set("a.held_out"), b.set("b.held_out")},
      strangers{c.set("c"), c.set("d")};
  const ProtocolResult report = run_rejection("rejection", known, strangers, RejectionProtocol{});
  CHECK(report.counts == std::vector<std::pair<std::string, int64_t>>{{"known_faces", 3}, {"strangers", 2}});
  CHECK(report.value_of("known_rank1") == Approx(2.0 / 3));
  CHECK(report.value_of("strangers_rejected_keeping_0.99_by_probability") == 1);
  CHECK(report.value_of("strangers_rejected_keeping_0.9_by_cosine") == 1);
  CHECK(report.value_of("known_accepted_by_cosine") == 1);
  CHECK(report.value_of("known_accepted_right_by_probability") == Approx(2.0 / 3));
  const Json& distribution = report.details["distributions"]["probability"]["strangers"];
  CHECK(distribution["mean"].get<double>() == Approx(0.2));
  CHECK(distribution["quantiles"]["q_0.5"].get<double>() == Approx(0.2));
  CHECK(distribution["histogram"]["counts"][4] == 2);  // [0.2, 0.25): float32 0.2 is above 0.2

  write_threshold(folder / "threshold.json", report);
  const Json saved = read_json_file(folder / "threshold.json");
  CHECK(saved["format"] == "uir-threshold");
  CHECK(saved["known_faces"] == 3);
  CHECK(saved["stranger_sets"] == Json{"c", "d"});
  // Reading the number back as float32 gives the very threshold.
  CHECK(saved["cosine"]["threshold"].get<float>() == std::nextafter(0.3F, 1.0F));
  CHECK(saved["probability"]["known_accepted"] == 1.0);
}

TEST_CASE("nothing to compare, and known faces without class, are refused") {
  Faces known, strangers, empty;
  known.add(0, 0.5F, 0.5F, 0);
  known.add(0, 0.5F, 0.5F, -1);
  strangers.add(0, 0.5F, 0.5F, -1);
  const ClassifiedSet k = known.set("ms1m.held_out"), s = strangers.set("s"), none = empty.set("none");
  const auto refusal = [](const ClassifiedSet& a, const ClassifiedSet& b) {
    return brute::error_of(ErrorKind::kData, [&] {
      measure_rejection({&a, 1}, {&b, 1}, RejectionProtocol{});
    });
  };
  CHECK_THAT(refusal(k, s), contains_text("ms1m.held_out: row 1"));
  CHECK_THAT(refusal(none, s), contains_text("known faces"));
  known.labels[1] = 0;
  CHECK_THAT(refusal(known.set("k"), none), contains_text("strangers"));
}

}  // namespace uir
