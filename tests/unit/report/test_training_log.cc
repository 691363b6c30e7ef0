#include "uir/report/training_log.h"

#include <cmath>
#include <fstream>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "uir/base/error.h"
#include "uir/report/training_report.h"

namespace uir {
namespace {

TrainingLog log_of(const std::string& text) {
  const TempFolder folder;
  std::ofstream(folder / "log.jsonl", std::ios::binary) << text;
  return read_training_log(folder / "log.jsonl");
}

StepSeries steps(int64_t n) {
  StepSeries series;
  for (int64_t i = 1; i <= n; ++i) series.push_back({static_cast<double>(i), static_cast<double>(10 * i)});
  return series;
}

}  // namespace

TEST_CASE("a training log: numbers by step, verifications apart, a line under way left out") {
  const TrainingLog log = log_of(
      "{\"step\": 1, \"total\": 3.5, \"note\": \"first\", \"lr\": null}\n"
      "{\"run\": \"no step\"}\n"
      "not JSON\n"
      "{\"step\": 1, \"verification\": \"lfw\", \"accuracy\": 0.75}\n"
      "{\"step\": 2, \"total\": 2.5}\n"
      "{\"step\": 2, \"verification\": \"lfw\", \"accuracy\": null}\n"
      "{\"step\": 2, \"verification\": \"held\", \"metric\": \"tar_at_far_0.1\", \"tar_at_far_0.1\": 0.25}\n"
      "{\"step\": 3, \"total\": 1.");
  const StepSeries& total = log.series("total");
  REQUIRE(total.size() == 2);
  CHECK(total[0].x == 1);
  CHECK(total[0].y == 3.5);
  CHECK(total[1].x == 2);
  CHECK(log.series("lr").empty());
  CHECK(log.series("note").empty());
  CHECK(log.last["step"] == 2);
  CHECK(log.verifications.size() == 3);
  const auto verified = log.verified();
  REQUIRE(verified.size() == 2);
  REQUIRE(verified.at("lfw").size() == 1);  // the second is no number
  CHECK(verified.at("lfw")[0].y == 0.75);
  CHECK(verified.at("held (tar_at_far_0.1)")[0].y == 0.25);
  CHECK(log_of("").last.is_null());
}

TEST_CASE("the page loads itself anew while training goes on, and only then") {
  const TempFolder folder;
  std::ofstream(folder / "log.jsonl") << "{\"step\": 1, \"total\": 3.5}\n{\"step\": 2, \"total\": 3}\n";
  const auto page = [&](int refresh_s) {
    return read_text_file(write_training_report(folder.path(), {}, refresh_s));
  };
  CHECK_THAT(page(30), contains_text("<meta http-equiv=\"refresh\" content=\"30\"/>"));
  CHECK_THAT(page(30), contains_text("Training goes on"));
  CHECK(page(0).find("refresh") == std::string::npos);
  CHECK(page(0).find("Training goes on") == std::string::npos);
  CHECK(page(0) == page(0));
}

TEST_CASE("without a log there is nothing to report") {
  const TempFolder folder;
  CHECK(kind_of([&] { read_training_log(folder / "log.jsonl"); }) == ErrorKind::kMissingInput);
}

TEST_CASE("long series are thinned to means of as many steps") {
  CHECK(thinned(steps(400), 400).size() == 400);
  const StepSeries means = thinned(steps(401), 400);
  REQUIRE(means.size() == 201);
  CHECK(means[0].x == 2);
  CHECK(means[0].y == 15);
  CHECK(means.back().x == 401);  // the rest: fewer steps
  CHECK(means.back().y == 4010);
  CHECK(thinned({}, 400).empty());
}

TEST_CASE("the median of a series") {
  CHECK(median_of(steps(5)) == 30);
  CHECK(median_of(steps(4)) == 30);
  CHECK(std::isnan(median_of({})));
}

}  // namespace uir
