#include "uir/report/comparison.h"

#include <variant>

#include "support/catch.h"
#include "support/protocol_facts.h"
#include "uir/eval/templates.h"
#include "uir/eval/video.h"

namespace uir {
namespace {

ProtocolResult lfw(double accuracy, double eer, int64_t pairs = 3000) {
  auto result = ProtocolResult::of<VerificationProtocol>("lfw", "words");
  result.count("genuine_pairs", pairs);
  result.number("accuracy", accuracy);
  result.number("eer", eer);
  result.number("accuracy_std", 0.002);
  return result;
}

Report two_models(ProtocolResult first, ProtocolResult second) {
  return {{{"baseline", {}, {std::move(first)}}, {"uir", {}, {std::move(second)}}}};
}

const ComparedNumber& number_of(const Comparison& comparison, const std::string& name) {
  for (const ComparedNumber& number : comparison.protocols.at(0).numbers) {
    if (number.name == name) return number;
  }
  throw std::runtime_error("no number " + name);
}

ProtocolResult named(std::string name, std::string type, std::vector<std::string> numbers,
                     std::string description = "") {
  ProtocolResult result;
  result.name = std::move(name);
  result.facts = facts_of(type);
  result.type = std::move(type);
  result.description = std::move(description);
  for (std::string& number : numbers) result.number(std::move(number), 0.5);
  return result;
}

ProtocolResult with_counts(ProtocolResult result, std::vector<std::pair<std::string, int64_t>> counts) {
  result.counts = std::move(counts);
  return result;
}

const std::vector<std::pair<std::string, int64_t>> kIjbc{
    {"templates", 23'124}, {"genuine_pairs", 19'557}, {"impostor_pairs", 15'638'932}};
const std::vector<std::pair<std::string, int64_t>> kLfw{
    {"genuine_pairs", 3000}, {"impostor_pairs", 3000}, {"folds", 10}};

std::vector<std::string_view> models_of(const std::vector<const Reference*>& references) {
  std::vector<std::string_view> models;
  for (const Reference* reference : references) models.push_back(reference->model);
  return models;
}

}  // namespace

TEST_CASE("for every number of the protocols it is known whether more is better") {
  const std::vector<NamedMeaning> known = meanings_of_all_protocols();
  const auto meaning = [&](std::string_view name) { return meaning_of(name, known); };
  for (const char* name :
       {"accuracy", "val", "auc", "tar_at_far_1e-06", "tar_nearest_far_0.0001", "tpr_at_fpr_1e-09",
        "identification_tpr_at_fpr_0.001", "identification_rank_1", "g1.tpir_at_fpir_0.01",
        "mean.tpir_at_fpir_1", "dir_at_far_0.01", "rank1", "top10", "map_at_100", "known_rank1",
        "known_accepted_by_cosine", "known_accepted_right_by_probability",
        "strangers_rejected_keeping_0.99_by_cosine"}) {
    INFO(name);
    CHECK(meaning(name).better == Better::kHigher);
    CHECK(meaning(name).rate);
  }
  for (const char* name :
       {"precision", "recall", "f1", "mean_f1", "interval_map_at_iou_0.5", "cluster_purity"}) {
    INFO(name);
    CHECK(meaning(name).better == Better::kHigher);
    CHECK(meaning(name).rate);
  }
  for (const char* name : {"eer", "ier", "confusion", "false_alarm", "miss", "screen_time_error", "fnir",
                           "false_names_per_hour", "false_person_seconds_per_hour"}) {
    INFO(name);
    CHECK(meaning(name).better == Better::kLower);
  }
  CHECK_FALSE(meaning("false_names_per_hour").rate);
  CHECK(meaning("cluster_ratio").better == Better::kNone);  // best at 1
  for (const char* name : {"accuracy_std", "val_std", "val_far", "strangers_accepted_by_cosine"}) {
    INFO(name);
    CHECK(meaning(name).better == Better::kNone);
    CHECK(meaning(name).rate);
  }
  for (const char* name : {"all_pairs_mean", "nearest_q50", "minimum", "strangers_mean_probability",
                           "mapping", "val_threshold", "topology", "unheard_of", "", "g1."}) {
    INFO(name);
    CHECK(meaning(name).better == Better::kNone);
    CHECK_FALSE(meaning(name).rate);
  }
}

// Each protocol says it of its own numbers: the test above would not miss one that another protocol has too.
TEST_CASE("every protocol knows all of its numbers") {
  struct Named {
    std::string_view type;
    std::vector<std::string_view> higher, lower, plain_rates;
  };
  const std::vector<Named> all{
      {"verification",
       {"accuracy", "val", "auc", "tar_at_far_0.001", "tar_at_common_far_0.001"},
       {"eer"},
       {"accuracy_std", "val_std", "val_far", "far_at_common_far_0.001"}},
      {"all_pairs",
       {"auc", "tar_at_far_0.001", "tar_at_common_far_0.01"},
       {"eer"},
       {"far_at_common_far_0.01"}},
      {"open_set", {"rank1", "dir_at_far_0.01"}, {}, {"achieved_far_0.01"}},
      {"separation", {}, {}, {}},
      {"rejection",
       {"known_rank1", "known_accepted_by_cosine", "known_accepted_right_by_cosine",
        "strangers_rejected_keeping_0.99_by_cosine", "strangers_below"},
       {},
       {"strangers_accepted_by_cosine"}},
      {"megaface", {"identification_rank_1", "tar_at_far_1e-06"}, {}, {"achieved_far_1e-06"}},
      {"trillion_pairs",
       {"tpr_at_fpr_1e-09", "identification_tpr_at_fpr_0.001", "identification_rank_1"},
       {},
       {}},
      {"video_verification", {"tpr_at_fpr_0.0001"}, {}, {}},
      {"video_retrieval", {"map_at_100"}, {}, {}},
      {"ijb_verification",
       {"auc", "tar_at_far_1e-06", "tar_nearest_far_1e-06", "tar_at_common_far_1e-06"},
       {"eer"},
       {"achieved_far", "far_at_common_far_1e-06"}},
      {"ijb_identification", {"top1", "g1.tpir_at_fpir_0.01", "mean.top5"}, {}, {}},
      {"timeline",
       {"precision", "recall", "f1", "mean_f1", "interval_map_at_iou_0.5", "interval_ap_at_iou_0.5",
        "cluster_purity"},
       {"ier", "confusion", "false_alarm", "miss", "screen_time_error", "fnir"},
       {}}};
  CHECK(all.size() == std::variant_size_v<AnyProtocol>);
  for (const Named& protocol : all) {
    INFO(protocol.type);
    const NumberFacts facts = facts_of(protocol.type);
    const auto check = [&](const std::vector<std::string_view>& names, Better better) {
      for (const std::string_view name : names) {
        INFO(name);
        CHECK(meaning_of(name, facts.meanings).better == better);
        CHECK(meaning_of(name, facts.meanings).rate);
      }
    };
    check(protocol.higher, Better::kHigher);
    check(protocol.lower, Better::kLower);
    check(protocol.plain_rates, Better::kNone);
  }
}

TEST_CASE("numbers as people read them") {
  const NumberMeaning rate{Better::kHigher, true}, plain;
  CHECK(format_number(0.9951666666666666, rate) == "99.5167 %");
  CHECK(format_number(1, rate) == "100.0000 %");
  CHECK(format_number(0, rate) == "0.0000 %");
  CHECK(format_number(1.25e-7, rate) == "1.25e-05 %");
  CHECK(format_number(0.5500001, plain) == "0.55");
  CHECK(format_number(std::nan(""), rate) == "undefined");
  CHECK(format_published(0.969, rate) == "96.9 %");
  CHECK(format_published(0.898451, rate) == "89.8451 %");
  CHECK(format_difference(0.00317, rate) == "+0.317 pp");
  CHECK(format_difference(-0.25, rate) == "-25.000 pp");
  CHECK(format_difference(4e-7, rate) == "+4e-05 pp");
  CHECK(format_difference(-0.0123, plain) == "-0.0123");
  CHECK(format_difference(0, rate) == "=");
  CHECK(format_difference(std::nan(""), rate).empty());
}

TEST_CASE("the better model is the one with more accuracy and with less error") {
  const Report report = two_models(lfw(0.99, 0.02), lfw(0.995, 0.03));
  const Comparison comparison = compare(report);
  CHECK(comparison.models == std::vector<std::string>{"baseline", "uir"});
  CHECK(number_of(comparison, "accuracy").best == std::vector<bool>{false, true});
  CHECK(number_of(comparison, "eer").best == std::vector<bool>{true, false});
  CHECK(number_of(comparison, "accuracy").difference(1) == 0.995 - 0.99);
  CHECK(number_of(comparison, "accuracy").difference(0) == 0);
  // Equal, and without a better side: nobody is best.
  CHECK(number_of(comparison, "accuracy_std").best == std::vector<bool>{false, false});
  const Report equal = two_models(lfw(0.99, 0.02), lfw(0.99, 0.02));
  CHECK(number_of(compare(equal), "accuracy").best == std::vector<bool>{false, false});
}

TEST_CASE("of three models, all that reach the best value are best") {
  Report report = two_models(lfw(0.99, 0.02), lfw(0.98, 0.02));
  report.models.push_back({"third", {}, {lfw(0.99, 0.01)}});
  CHECK(number_of(compare(report), "accuracy").best == std::vector<bool>{true, false, true});
  CHECK(number_of(compare(report), "eer").best == std::vector<bool>{false, false, true});
}

TEST_CASE("a number or a protocol that one model lacks stays in the comparison") {
  auto lacking = ProtocolResult::of<VerificationProtocol>("lfw", "words");
  lacking.count("genuine_pairs", 3000);
  lacking.undefined("accuracy", "a fold has no pair");
  Report report = two_models(lfw(0.99, 0.02), lacking);
  report.models[1].results.push_back(named("extra", "all_pairs", {"auc"}));
  const Comparison comparison = compare(report);
  CHECK(std::isnan(number_of(comparison, "accuracy").values[1]));
  CHECK(number_of(comparison, "accuracy").notes[1] == "a fold has no pair");
  CHECK(std::isnan(number_of(comparison, "accuracy").difference(1)));
  CHECK(number_of(comparison, "accuracy").best == std::vector<bool>{false, false});
  CHECK(number_of(comparison, "eer").notes[1] == "not measured");
  REQUIRE(comparison.protocols.size() == 2);
  CHECK(comparison.protocols[1].name == "extra");
  CHECK(comparison.protocols[1].results[0] == nullptr);
  CHECK(comparison.protocols[1].numbers[0].notes[0] == "the protocol was not measured");
  CHECK(comparison.protocols[1].numbers[0].values[1] == 0.5);
  // The first model lacks it: there is nothing to compare with.
  CHECK(std::isnan(comparison.protocols[1].numbers[0].difference(1)));
}

TEST_CASE("other counts or other words are another protocol, and nobody is best in it") {
  const Report counts = two_models(lfw(0.99, 0.02), lfw(0.995, 0.03, 2999));
  const ComparedProtocol other_counts = compare(counts).protocols[0];
  CHECK(other_counts.mismatches == std::vector<std::string>{"genuine_pairs: 3000 (baseline), 2999 (uir)"});
  CHECK(other_counts.numbers[0].best == std::vector<bool>{false, false});
  CHECK_THAT(to_text(compare(counts)),
             contains_text("NOT THE SAME PROTOCOL: genuine_pairs: 3000 (baseline), 2999 (uir)"));
  CHECK(to_json(compare(counts))["protocols"][0]["same_protocol"] == false);

  Report words = two_models(lfw(0.99, 0.02), lfw(0.995, 0.03));
  words.models[1].results[0].description = "words without mirror images";
  CHECK(compare(words).protocols[0].mismatches == std::vector<std::string>{"the protocols in words differ"});
}

TEST_CASE("results of one name are compared in their order") {
  Report report = two_models(lfw(0.9, 0.02), lfw(0.91, 0.02));
  report.models[0].results.push_back(lfw(0.8, 0.02));
  report.models[1].results.push_back(lfw(0.85, 0.02));
  const Comparison comparison = compare(report);
  REQUIRE(comparison.protocols.size() == 2);
  CHECK(comparison.protocols[1].numbers[0].values == std::vector<double>{0.8, 0.85});
}

TEST_CASE("the comparison as JSON and as text") {
  const Report report = two_models(lfw(0.99, 0.02), lfw(0.995, 0.03));
  const Json json = to_json(compare(report));
  CHECK(json["models"] == Json::parse(R"(["baseline", "uir"])"));
  const Json& protocol = json["protocols"][0];
  CHECK(protocol["name"] == "lfw");
  CHECK(protocol["same_protocol"] == true);
  const Json& accuracy = protocol["numbers"][0];
  CHECK(accuracy["name"] == "accuracy");
  CHECK(accuracy["better"] == "higher");
  CHECK(accuracy["values"][1].get<double>() == 0.995);
  CHECK(accuracy["differences"][1].get<double>() == 0.995 - 0.99);
  CHECK(accuracy["percentage_points"][1].get<double>() == Approx(0.5));
  CHECK(accuracy["best"] == Json::parse("[false, true]"));
  CHECK(protocol["published"] == Json::array());
  CHECK(to_text(compare(report)) ==
        "== comparison ==\n"
        "Differences are to baseline, of rates in percentage points (pp). *: the best model.\n\n"
        "lfw (verification)\n"
        "                 baseline         uir   difference\n"
        "  accuracy      99.0000 %   99.5000 %*   +0.500 pp\n"
        "  eer            2.0000 %*   3.0000 %    +1.000 pp\n"
        "  accuracy_std   0.2000 %    0.2000 %            =\n");
}

namespace {

// An interval of .9 to 1, and what four people add to the number.
Uncertainty with_influences(std::vector<double> influences) {
  Uncertainty uncertainty;
  uncertainty.low = .9;
  uncertainty.high = 1;
  uncertainty.influences = {std::move(influences)};
  return uncertainty;
}

}  // namespace

TEST_CASE("a difference is decided by what the same people add to both models") {
  Report report = two_models(lfw(0.99, 0.02), lfw(0.995, 0.03));
  const auto set = [&](size_t model, const char* number, std::vector<double> influences) {
    report.models[model].results[0].set_uncertainty(number, with_influences(std::move(influences)));
  };
  set(0, "accuracy", {.01, -.02, .03, -.02});
  set(1, "accuracy", {.0101, -.0202, .0301, -.02});  // nearly the same people are easy: a small spread
  set(0, "eer", {.01, -.01, .02, -.02});
  set(1, "eer", {.02, -.05, .01, .02});
  const Comparison comparison = compare(report);
  const ComparedNumber &accuracy = comparison.protocols[0].numbers[0],
                       &eer = comparison.protocols[0].numbers[1];
  // Differences .0001, −.0002, .0001, 0 have the mean 0 and the sum of squares 6e-8.
  const double half = t_quantile(3) * std::sqrt(.75 * 6e-8);
  REQUIRE(accuracy.difference_interval(1));
  CHECK(accuracy.difference_interval(1)->low == Approx(.005 - half));
  CHECK(accuracy.difference_interval(1)->high == Approx(.005 + half));
  CHECK(accuracy.verdict(1) == "better");
  CHECK(eer.verdict(1) == "not decided");
  CHECK(accuracy.best == std::vector<bool>{false, true});
  CHECK(eer.best == std::vector<bool>{false, false});
  CHECK_THAT(to_text(comparison), contains_text("better") && contains_text("not decided"));
  const Json json = to_json(comparison)["protocols"][0]["numbers"][0];
  CHECK(json["verdicts"] == Json::parse(R"(["", "better"])"));
  CHECK(json["difference_intervals"][1][0].get<double>() == accuracy.difference_interval(1)->low);

  SECTION("a smaller error is better, a larger one worse") {
    report.models[1].results[0].numbers[1].value = 0.9;
    CHECK(compare(report).protocols[0].numbers[1].verdict(1) == "worse");
    report.models[0].results[0].numbers[1].value = 0.95;
    report.models[1].results[0].numbers[1].value = 0.01;
    CHECK(compare(report).protocols[0].numbers[1].verdict(1) == "better");
  }
  SECTION("other people, or another protocol, decide nothing") {
    set(1, "accuracy", {.01, .02, .03});
    CHECK(compare(report).protocols[0].numbers[0].verdict(1).empty());
    set(1, "accuracy", {.01, -.02, .03, -.02});
    report.models[1].results[0].description = "another protocol";
    CHECK(compare(report).protocols[0].numbers[0].verdict(1).empty());
  }
  SECTION("a number without an interval decides nothing") {
    Uncertainty& of_second = *report.models[1].results[0].numbers[0].uncertainty;
    of_second.low = of_second.high = std::nan("");
    CHECK(!compare(report).protocols[0].numbers[0].difference_interval(1));
    CHECK(compare(report).protocols[0].numbers[0].verdict(1).empty());
  }
  SECTION("the best is marked where each of its differences that is shown is decided") {
    report.models.push_back({"third", {}, {lfw(0.9901, 0.01)}});
    set(2, "accuracy", {.02, -.05, .01, .02});
    const auto best = [&] { return compare(report).protocols[0].numbers[0].best; };
    CHECK(best() == std::vector<bool>{false, true, false});  // the third's is not one of the best's
    report.models[0].results[0].numbers[0].value = 0.9999;
    CHECK(best() == std::vector<bool>{false, false, false});
    set(2, "accuracy", {.0101, -.0202, .0301, -.02});
    CHECK(best() == std::vector<bool>{true, false, false});
  }
  SECTION("what is not resolved is never the best") {
    CHECK(accuracy.best == std::vector<bool>{false, true});
    report.models[0].results[0].numbers[0].uncertainty->resolution = Resolution::kNotResolved;
    CHECK(compare(report).protocols[0].numbers[0].best == std::vector<bool>{false, false});
  }
}

TEST_CASE("one model without published numbers has no comparison in text") {
  const Report report{{{"only", {}, {lfw(0.99, 0.02)}}}};
  CHECK(to_text(compare(report)).empty());
  CHECK(to_text(compare(Report{})).empty());
}

TEST_CASE("published numbers stand beside the same protocol and variant only") {
  const std::vector<std::string> tars{"tar_at_far_0.0001", "tar_nearest_far_0.0001"};
  const auto of = [&](const std::string& name) {
    return references_of(with_counts(named(name, "ijb_verification", tars, "IJB-C 1:1 over …"), kIjbc));
  };
  const auto kept = of("any_name/flip,norm_kept,score");
  REQUIRE(models_of(kept) ==
          std::vector<std::string_view>{"ArcFace R100, MS1MV2", "ArcFace R50, MS1MV2", "ArcFace MBF, MS1MV2",
                                        "ArcFace R50, MS1MV3", "R100 baseline, first norm setting",
                                        "R100 UIR, first norm setting", "R100 baseline, second norm setting",
                                        "R100 UIR, second norm setting"});
  CHECK(kept[0]->value_of("tar_nearest_far_0.0001") == 0.962775);
  CHECK(std::isnan(kept[0]->value_of("tar_at_far_0.0001")));
  CHECK(of("IJB-C/flip,norm_removed,score")[0]->value_of("tar_nearest_far_0.0001") == 0.96073);
  CHECK(models_of(of("ijbc/no_flip,norm_kept,score")).front() == "R100 baseline, first norm setting");
  CHECK(of("ijbc/no_flip,norm_kept,score").size() == 4);
  CHECK(models_of(of("ijbc/flip,norm_kept,no_score")).front() == "R100 baseline, first norm setting");
  const ProtocolResult ijbb =
      named("ijbc/flip,norm_kept,score", "ijb_verification", tars, "IJB-B 1:1 over …");
  CHECK(references_of(with_counts(ijbb, kIjbc)).empty());
  CHECK(of("ijbc").empty());
  const auto like = [&](const std::string& type, const std::vector<std::string>& numbers) {
    return references_of(
        with_counts(named("ijbc/flip,norm_kept,score", type, numbers, "IJB-C 1:1 over …"), kIjbc));
  };
  CHECK(like("ijb_verification", tars).size() == 8);
  CHECK(like("all_pairs", tars).empty());
  CHECK(like("ijb_verification", {"auc"}).empty());

  // Somebody's own pairs under that name.
  ProtocolResult own =
      with_counts(named("ijbc/flip,norm_kept,score", "ijb_verification", tars, "IJB-C 1:1 over …"), kIjbc);
  own.counts.back().second = 100;
  CHECK(references_of(own).empty());
  own.counts.pop_back();
  CHECK(references_of(own).empty());
}

TEST_CASE("published numbers need the benchmark's counts and the protocol's switches") {
  const std::vector<std::pair<std::string, int64_t>> whole{{"gallery", 3'531}, {"probes", 19'593}};
  const std::string usual =
      "IJB-C 1:N, galleries G1 and G2. " + TemplateVariant{}.words() + " Pooled galleries, …";
  const auto identification = [&](const std::string& name, const std::string& description,
                                  const std::vector<std::pair<std::string, int64_t>>& counts) {
    return references_of(with_counts(named(name, "ijb_identification", {"top1"}, description), counts));
  };
  REQUIRE(identification("search/pooled", usual, whole).size() == 1);
  CHECK(identification("search/pooled", usual, whole)[0]->value_of("top5") == 0.975399);
  CHECK(identification("search/open_set", usual, whole).empty());
  CHECK(identification("search/pooled", usual, {{"gallery", 3'531}, {"probes", 349}}).empty());
  CHECK(
      identification("search/pooled", "IJB-C 1:N. " + TemplateVariant{.flip = false}.words(), whole).empty());

  const auto accuracy = [](const std::string& name, const std::string& description) {
    return references_of(with_counts(named(name, "verification", {"accuracy"}, description), kLfw));
  };
  REQUIRE(accuracy("lfw", "… (flip test).").size() == 2);
  CHECK(accuracy("lfw", "… (flip test).")[0]->value_of("accuracy") == 0.9977);
  CHECK(accuracy("lfw", "… (no flip test).").empty());
  CHECK(accuracy("AgeDB-30", "… (flip test).").size() == 2);
  CHECK(accuracy("sllfw", "… (flip test).").empty());

  const auto images = [](const std::string& number, const std::string& description) {
    return references_of(named("lfr_image", "trillion_pairs", {number}, description));
  };
  CHECK(images("tpr_at_fpr_1e-08", "Impostor pairs (all): …").size() == 2);
  CHECK(images("tpr_at_fpr_1e-08", "Impostor pairs (gallery_x_distractors): …").empty());
  CHECK(images("tpr_at_fpr_1e-09", "Impostor pairs (all): …").empty());

  const std::vector<std::string_view> items{"v/1", "w/1"};
  const auto videos = [&](const FrameAggregation& frames) {
    const std::string words = describe_vectors(frames, VideoFrames(items));
    return references_of(named("lfr_video", "video_verification", {"tpr_at_fpr_0.0001"}, words));
  };
  CHECK(videos({}).size() == 2);
  CHECK(videos({Aggregation::kMean, {}, true}).empty());
  CHECK(videos({Aggregation::kNormWeighted, {}, false}).empty());

  ProtocolResult iqiyi = named("iqiyi", "video_retrieval", {"map_at_100"});
  CHECK(references_of(iqiyi).size() == 2);
  iqiyi.numbers.clear();
  iqiyi.undefined("map_at_100", "no ground truth is given");
  CHECK(references_of(iqiyi).empty());
}

TEST_CASE("every published number has a source and a name that is a rate") {
  size_t found = 0;
  for_each_alternative<decltype(ProtocolConfig::kind)>([&]<class Protocol>() {
    const NumberFacts facts = Protocol::number_facts();
    for (const Reference& reference : facts.published) {
      INFO(reference.model);
      CHECK_FALSE(reference.source.empty());
      for (const auto& [name, value] : reference.numbers) {
        CHECK(meaning_of(name, facts.meanings).rate);
        CHECK((value > 0 && value < 1));
        ++found;
      }
    }
  });
  CHECK(found == 80);
}

TEST_CASE("sources are named once, in text and JSON") {
  const Report report{{{"only",
                        {},
                        {with_counts(named("ijbc/flip,norm_kept,score", "ijb_verification",
                                           {"tar_nearest_far_1e-06"}, "IJB-C 1:1 over …"),
                                     kIjbc)}}}};
  const std::vector<const Reference*> found = compare(report).protocols[0].references;
  const std::vector<std::string> lines = source_lines(found);
  REQUIRE(lines.size() == 2);
  CHECK_THAT(lines[0], contains_text("[1] ArcFace R100, MS1MV2: InsightFace"));
  CHECK_THAT(lines[1],
             contains_text("[2] R100 baseline, first norm setting; [3] R100 UIR, first norm setting; [4]"));
  CHECK_THAT(lines[1], contains_text("does not say which of them keeps the norm"));
  const std::string text = to_text(compare(report));
  CHECK_THAT(text, contains_text("== published numbers of the same protocols =="));
  CHECK_THAT(
      text,
      contains_text("  tar_nearest_far_1e-06  50.0000 %  89.8451 %  89.07 %  91.36 %  88.42 %  90.22 %\n"));
  const Json published = to_json(compare(report))["protocols"][0]["published"];
  REQUIRE(published.size() == 5);
  CHECK(published[2]["numbers"] == Json::parse(R"({"tar_nearest_far_1e-06": 0.9136})"));
}

}  // namespace uir
