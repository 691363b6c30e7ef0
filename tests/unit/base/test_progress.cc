#include <map>
#include <string>
#include <vector>

#include "support/catch.h"
#include "uir/base/log.h"
#include "uir/base/progress.h"
#include "uir/base/progress_sink.h"

using namespace uir;

TEST_CASE("progress goes to a sink as numbers: its begin, its end, and nothing in words") {
  std::map<std::string, std::vector<ProgressReport>> told;
  int messages = 0;
  const LogSink words = set_log_sink([&](LogLevel, std::string_view) { ++messages; });
  set_progress_sink([&](const ProgressReport& report) {
    CHECK(report.unit == "images");
    told[std::string(report.phase)].push_back(report);
  });
  {
    Progress progress("indexing lfw", "images", 8), unknown("counting", "images", 0);
    progress.add(2);
    progress.add(6);
    unknown.add(7);
  }
  set_progress_sink(nullptr);
  { Progress("afterwards", "images", 1).add(1); }
  set_log_sink(words);
  CHECK(messages == 0);
  REQUIRE(told.size() == 2);
  const ProgressReport begin = told["indexing lfw"].front(), end = told["indexing lfw"].back();
  CHECK(begin.done == 2);
  CHECK(begin.total == 8);
  CHECK(begin.eta_s >= 0);
  CHECK(end.done == 8);
  CHECK(end.eta_s == 0);
  CHECK(told["counting"].back().done == 7);
  CHECK(told["counting"].back().total == 0);
  CHECK(told["counting"].back().eta_s < 0);  // unknown
}
