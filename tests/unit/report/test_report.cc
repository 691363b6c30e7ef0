#include <limits>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/base/log.h"
#include "uir/eval/config.h"
#include "uir/eval/report_roc.h"
#include "uir/report/comparison.h"
#include "uir/report/html_report.h"
#include "uir/report/report.h"

namespace uir {
namespace {

Report example() {
  auto result = ProtocolResult::of<VerificationProtocol>(
      "lfw", "Words of the protocol. " + std::string(120, 'x') + " end");
  result.count("genuine_pairs", 3000);
  result.number("accuracy", 0.9951666666666666);
  result.undefined("val", "a fold lacks pairs");
  return {{{"ours", {{"lfw", {{"weights", "abc"}}}}, {result}}}};
}

}  // namespace

TEST_CASE("the JSON report keeps every digit and says why a number is missing") {
  TempFolder folder;
  write_report(folder / "report", example());
  const Json json = read_json_file(folder / "report" / "report.json");
  CHECK(json["format"] == "uir-report");
  CHECK(json["version"] == 2);
  CHECK(json["models"][0]["sets"]["lfw"]["weights"] == "abc");
  const Json& lfw = json["models"][0]["protocols"][0];
  CHECK(lfw["name"] == "lfw");
  CHECK(lfw["type"] == "verification");
  CHECK(lfw["counts"]["genuine_pairs"] == 3000);
  CHECK(lfw["numbers"]["accuracy"].get<double>() == 0.9951666666666666);
  CHECK(lfw["numbers"]["val"].is_null());
  CHECK(lfw["undefined"]["val"] == "a fold lacks pairs");
  CHECK(lfw["details"] == Json::object());
  CHECK(json["comparison"]["models"] == Json::parse(R"(["ours"])"));
}

TEST_CASE("the text report is a table under the protocol's words") {
  const std::string expected =
      "lfw (verification)\n  Words of the protocol.\n  " + std::string(120, 'x') +
      "\n  end\n"
      "  In words:\n"
      "    99.52 % of pairs are judged right, one person or two, at a threshold of the "
      "other folds.\n    (accuracy)\n"
      "  genuine_pairs  3000\n"
      "  accuracy       0.995167\n"
      "  val            undefined: a fold lacks pairs\n";
  CHECK(to_text(example()) == expected);
  Report two = example();
  two.models[0].results.push_back(two.models[0].results[0]);
  CHECK(to_text(two) == expected + "\n" + expected);
  Report models = example();
  models.models.push_back(models.models[0]);
  models.models[1].name = "theirs";
  CHECK(to_text(models) ==
        "== ours ==\n\n" + expected + "\n== theirs ==\n\n" + expected +
            "\n== comparison ==\n"
            "Differences are to ours, of rates in percentage points (pp). *: the best model.\n\n"
            "lfw (verification)\n"
            "                 ours      theirs   difference\n"
            "  accuracy  99.5167 %   99.5167 %            =\n"
            "  val       undefined   undefined\n");
}

TEST_CASE("a protocol that is split has one table of all numbers by group, in text, JSON and page") {
  Report report = example();
  ProtocolResult& whole = report.models[0].results[0];
  whole.split_by = "pose";
  for (const char* name : {"frontal", "<profile>"}) {
    auto group = ProtocolResult::of<VerificationProtocol>(name);
    group.count("genuine_pairs", 1200);
    group.number("accuracy", name[0] == 'f' ? 0.99 : 0.5);
    if (name[0] == 'f') group.number("far_at_common", 0.25);
    whole.groups.push_back(group);
  }
  Uncertainty uncertainty;
  uncertainty.low = 0.4, uncertainty.high = 0.6;
  whole.groups[1].set_uncertainty("accuracy", uncertainty);
  whole.count("pairs_without_group", 7);
  CHECK_THAT(to_text(report), contains_text("  by pose\n"
                                            "  genuine_pairs  (all)      3000\n"
                                            "                 frontal    1200\n"
                                            "                 <profile>  1200\n"
                                            "  accuracy       (all)      0.995167  (no interval)\n"
                                            "                 frontal    0.99  (no interval)\n"
                                            "                 <profile>  0.5  [0.4, 0.6]\n"
                                            "  val            (all)      undefined: a fold lacks pairs\n"
                                            "  far_at_common  frontal    0.25  (no interval)\n"));
  const Json json = to_json(report);
  const Json& lfw = json["models"][0]["protocols"][0];
  CHECK(lfw["split_by"] == "pose");
  CHECK(lfw["groups"][1]["name"] == "<profile>");
  CHECK(lfw["groups"][1]["counts"]["genuine_pairs"] == 1200);
  CHECK(lfw["groups"][1]["numbers"]["accuracy"] == 0.5);
  CHECK(lfw["groups"][1]["uncertainty"]["accuracy"]["interval"] == Json::parse("[0.4, 0.6]"));
  CHECK_THAT(to_html(report), contains_text("data-group=\"&lt;profile&gt;\""));

  // Two models are compared in each group, by the whole's protocol.
  report.models.push_back(report.models[0]);
  report.models[1].name = "theirs";
  report.models[1].results[0].groups[0].numbers[0].value = 0.98;
  const Comparison comparison = compare(report);
  const ComparedProtocol& compared = comparison.protocols[0];
  REQUIRE(compared.groups.size() == 2);
  CHECK(compared.groups[0].numbers[0].difference(1) == Approx(-0.01));
  CHECK(compared.groups[0].numbers[0].best == std::vector<bool>{true, false});
  CHECK(compared.groups[0].references.empty());
  CHECK_THAT(to_text(report), contains_text("  pose: frontal\n"));
  CHECK(to_json(comparison)["protocols"][0]["groups"][0]["name"] == "frontal");
  report.models[1].results[0].description = "other words";
  const Comparison others = compare(report);
  CHECK(others.protocols[0].groups[0].mismatches == others.protocols[0].mismatches);
  CHECK(others.protocols[0].groups[0].numbers[0].best == std::vector<bool>{false, false});
}

TEST_CASE("a report replaces the old one") {
  TempFolder folder;
  write_report(folder.path(), example());
  Report other = example();
  other.models[0].results[0].name = "cfp";
  write_report(folder.path(), other);
  CHECK(read_json_file(folder / "report.json")["models"][0]["protocols"][0]["name"] == "cfp");
  CHECK_THAT(read_text_file(folder / "report.txt"), contains_text("cfp (verification)"));
  CHECK_THAT(read_text_file(folder / "report.html"), contains_text("cfp"));
}

TEST_CASE("a name that is no UTF-8 does not keep the report from being written") {
  TempFolder folder;
  Report report = example();
  report.models[0].name = "run\xff";
  write_report(folder.path(), report);
  CHECK(read_json_file(folder / "report.json")["models"][0]["name"] == "run\\xff");
  CHECK_THAT(read_text_file(folder / "report.html"), contains_text("run\\xff"));
}

TEST_CASE("numbers are found by name") {
  const Report report = example();
  CHECK(report.models[0].results[0].value_of("accuracy") == 0.9951666666666666);
  CHECK(std::isnan(report.models[0].results[0].value_of("val")));
  CHECK(brute::error_of(ErrorKind::kInternal, [&] { report.models[0].results[0].value_of("auc"); }) !=
        "no error");
}

TEST_CASE("a report says how sure its numbers are, and where it does not know") {
  ProtocolResult result;
  result.number("tar", .975);
  result.number("weak", .9);
  result.number("few", .8);
  result.number("other", 3);
  Uncertainty sure;
  sure.low = .9625;
  sure.high = .9875;
  sure.impostor_events = 51;
  sure.effective_people = 12.5;
  result.set_uncertainty("tar", sure);
  Uncertainty weak = sure;
  weak.resolution = Resolution::kWeak;
  weak.note = "at least this wide";
  result.set_uncertainty("weak", weak);
  Uncertainty few;
  few.resolution = Resolution::kNotResolved;
  few.note = "not resolved: 3 impostor pairs may be accepted at this rate";
  result.set_uncertainty("few", few);
  for (const auto& [name, events] : {std::pair{"weaker", 12}, {"three", 3}, {"no_event", 0}}) {
    Uncertainty fewer = sure;
    fewer.impostor_events = events;
    fewer.resolution = events < 10 ? Resolution::kNotResolved : Resolution::kWeak;
    if (events == 0) fewer.note = "none: a bound of one side";
    result.number(name, events > 0 ? .97 : 0);
    result.set_uncertainty(name, fewer);
  }
  result.remarks.emplace_back("Few people decide.");
  const Report report{{{"m", {}, {result}}}};
  const std::string text = to_text(report);
  CHECK_THAT(text, contains_text("0.975  [0.9625, 0.9875]\n"));
  CHECK_THAT(text, contains_text("0.9  [0.9625, 0.9875]  (weak; at least this wide)\n"));
  CHECK_THAT(text, contains_text("0.97  [0.9625, 0.9875]  (weak: 12 events)\n"));
  CHECK_THAT(text, contains_text("0.97  [0.9625, 0.9875]  (few events: 3)\n"));
  CHECK_THAT(text, contains_text("0  [0.9625, 0.9875]  (none: a bound of one side)\n"));
  const std::string html = to_html(report);
  CHECK_THAT(html, contains_text("title=\"12 events\">0.9625 to 0.9875, weak: 12 events<"));
  CHECK_THAT(html, contains_text("0.9625 to 0.9875, few events: 3<"));
  CHECK_THAT(html, contains_text("title=\"0 events; none: a bound of one side\">at most 0.9875<"));
  CHECK_THAT(text, contains_text("0.8  (not resolved: 3 impostor pairs may be accepted at this rate)\n"));
  CHECK_THAT(text, contains_text("3  (no interval)\n"));
  CHECK_THAT(text, contains_text("  Few people decide.\n"));
  const Json json = to_json(report)["models"][0]["protocols"][0];
  CHECK(json["uncertainty"]["tar"] == Json::parse(R"({"interval": [0.9625, 0.9875], "resolution": "resolved",
      "impostor_events": 51, "effective_people": 12.5})"));
  CHECK(json["uncertainty"]["few"]["interval"].is_null());
  CHECK(json["uncertainty"]["few"]["resolution"] == "not resolved");
  CHECK(!json["uncertainty"].contains("other"));
  CHECK(json["remarks"] == Json::parse(R"(["Few people decide."])"));
  CHECK(brute::error_of(ErrorKind::kInternal, [&] { result.set_uncertainty("none", sure); }) != "no error");
}

TEST_CASE("weak and not resolved are explained once beneath the numbers that are called so") {
  const std::string words = "weak: fewer than 30 events stand behind the number; not resolved: fewer than 10";
  Report report = example();
  Uncertainty uncertainty;
  uncertainty.low = .9, uncertainty.high = 1;
  const auto said = [&] {
    report.models[0].results[0].set_uncertainty("accuracy", uncertainty);
    CHECK((to_text(report).find(words) == std::string::npos) ==
          (to_html(report).find(words) == std::string::npos));
    return to_text(report).ends_with("  " + words + "\n");
  };
  CHECK_FALSE(said());
  uncertainty.resolution = Resolution::kWeak;
  CHECK(said());
  uncertainty.resolution = Resolution::kNotResolved;
  CHECK_FALSE(said());  // a bound of one side, which has words of its own
  uncertainty.low = uncertainty.high = std::nan("");
  CHECK(said());
}

TEST_CASE("a name that is the type's stands once") {
  CHECK(heading_of("lfw", "verification") == "lfw (verification)");
  CHECK(heading_of("all_pairs", "all_pairs") == "all_pairs");
  Report report = example();
  CHECK_THAT(to_html(report), contains_text("lfw<span class=\"quiet\"> verification</span></h2>"));
  report.models[0].results[0].name = "verification";
  CHECK(to_text(report).starts_with("verification\n"));
  CHECK_THAT(to_html(report), contains_text("verification</h2>"));
  CHECK(to_html(report).find("> verification</span>") == std::string::npos);
}

TEST_CASE("rates in names are written as people write them") {
  CHECK(name_with_rate("tar_at_far", 1e-4) == "tar_at_far_0.0001");
  CHECK(name_with_rate("tar_at_far", 0.01) == "tar_at_far_0.01");
  CHECK(name_with_rate("tar_at_far", 1e-9) == "tar_at_far_1e-09");
}

TEST_CASE("a ROC in a report: infinite thresholds are null, the printed rates stand in the curve") {
  Roc roc({3, 2, 1});
  roc.add_impostors(std::vector<double>{2.5, 0, 0, 0});
  ProtocolResult result;
  const std::vector<double> fars{0.25};
  report_roc(roc, fars, result);
  CHECK(result.value_of("auc") == Approx(10.0 / 12));
  CHECK(result.value_of("tar_at_far_0.25") == 1);
  const Json points = Json::parse(result.details.dump())["roc"]["points"];
  CHECK(points.front() == Json::parse("[0.0, 0.0, null]"));
  CHECK(points.back() == Json::parse("[1.0, 1.0, null]"));
  CHECK(std::count(points.begin(), points.end(), Json::parse("[0.25, 1.0, 1.0]")) == 1);
  CHECK(Json::parse(result.details.dump())["thresholds"] == Json::parse(R"([{"far": 0.25, "threshold": 1.0,
      "achieved_far": 0.25, "impostor_below": 0.0, "impostor_accepted": 2.5}])"));
}

TEST_CASE("rates that the impostors cannot resolve are warned about") {
  std::string said;
  const LogSink before = set_log_sink([&](LogLevel, std::string_view line) { said += line; });
  warn_of_unresolved_rates("lfw", std::vector<double>{1e-2, 1e-3}, 1000);  // 1e-3 accepts just one
  CHECK(said.empty());
  warn_of_unresolved_rates("lfw", std::vector<double>{1e-2, 1e-3, 1e-4}, 999);
  set_log_sink(before);
  CHECK_THAT(said, contains_text("lfw: 999 impostor scores"));
  CHECK_THAT(said, contains_text("0.001, 0.0001"));
}

}  // namespace uir
