#include "uir/train/monitor.h"

#include <fstream>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/base/file.h"
#include "uir/base/log.h"

using namespace uir;

namespace {

// Step `step` of 10 a run with 4 steps an epoch: 8 labeled rows, 16 images in a quarter of a second.
StepRecord record_of(int64_t step) {
  StepRecord record;
  record.step = step;
  record.totals.labeled = 2.5 + static_cast<double>(step);
  record.totals.uir = 0.5;
  record.totals.total = 3;
  record.totals.losses = 1;
  record.totals.correct = 6;
  record.totals.correct_with_margin = 2;
  record.totals.num_labeled = 8;
  record.totals.images = 16;
  record.gradient_norm = 1.5;
  record.learning_rate = 0.01;
  record.seconds = 0.25;
  record.waited_s = 0.125;
  record.trained_s = 0.25 * static_cast<double>(step);
  return record;
}

MonitorOptions options_in(const fs::path& folder) {
  MonitorOptions options;
  options.run_folder = folder;
  options.total_steps = 10;
  options.steps_per_epoch = 4;
  options.log_every = 2;
  return options;
}

// What is said while it lives, a line a message.
class Listener {
 public:
  Listener()
      : before_(set_log_sink([this](LogLevel level, std::string_view text) {
          said += std::string(level == LogLevel::kWarning ? "warning: " : "") + std::string(text) + "\n";
        })) {}
  ~Listener() { set_log_sink(std::move(before_)); }
  std::string said;

 private:
  LogSink before_;
};

std::string log_in(const TempFolder& folder) { return read_text_file(folder / "log.jsonl"); }

}  // namespace

TEST_CASE("monitor: a step's line in the log, to the byte") {
  const TempFolder folder;
  const Listener listener;
  Monitor monitor(options_in(folder.path()));
  monitor.log(record_of(1));
  CHECK(
      log_in(folder) ==
      R"({"step":1,"epoch":0.0,"labeled":3.5,"uir":0.5,"total":3.0,"accuracy":0.75,"accuracy_with_margin":0.25,)"
      R"("gradient_norm":1.5,"lr":0.01,"skipped":0,"images_per_s":64.0,"waited_s":0.125})"
      "\n");
  CHECK(listener.said.empty());
}

TEST_CASE("monitor: gradients of both losses, and once how large UIR's is") {
  const TempFolder folder;
  const Listener listener;
  Monitor monitor(options_in(folder.path()));
  for (int64_t step = 1; step <= 8; ++step) {
    StepRecord record = record_of(step);
    if (step % 2 == 0) record.gradient_squares = {4, step == 2 ? 0.0 : 0.04, 16, 1};
    monitor.log(record);
  }
  CHECK_THAT(log_in(folder),
             contains_text(R"("gradient_norms":{"embeddings_labeled":2.0,"embeddings_uir":0.2,)"
                           R"("centers_labeled":4.0,"centers_uir":1.0})"));
  CHECK(
      listener.said ==
      "gradient of lambda * UIR loss, relative to the labeled loss's: 10.0 % on embeddings, 25.0 % on class "
      "centers\n");
}

TEST_CASE("monitor: a skipped step is warned about, and has its rows instead of a rate") {
  const TempFolder folder;
  const Listener listener;
  Monitor monitor(options_in(folder.path()));
  StepRecord record = record_of(3);
  record.skipped = true;
  record.rows = {7, 2};
  record.first_item = "ann/1.jpg";
  record.skipped_so_far = 5;
  record.skipped_in_row = 2;
  monitor.log(record);
  CHECK(
      log_in(folder) ==
      R"({"step":3,"epoch":0.5,"labeled":5.5,"uir":0.5,"total":3.0,"accuracy":0.75,"accuracy_with_margin":0.25,)"
      R"("gradient_norm":1.5,"rows":[7,2],"skipped":5,"images_per_s":64.0,"waited_s":0.125})"
      "\n");
  CHECK(listener.said ==
        "warning: step 3: loss or gradient not finite; step skipped (2 in a row), its rows are in the log; "
        "first: ann/1.jpg\n");
}

TEST_CASE("monitor: the console shows means over the steps since its last line") {
  const TempFolder folder;
  const Listener listener;
  Monitor monitor(options_in(folder.path()));
  for (int64_t step = 1; step <= 4; ++step) {
    StepRecord record = record_of(step);
    if (step == 4) record.bad_images = 3;
    monitor.log(record);
    monitor.show(record);
  }
  CHECK(listener.said ==
        "step 2/10  epoch 0.5  64 img/s  labeled 4  uir 0.5  lr 0.01  acc 75.0 % (margin 25.0 %)  data wait "
        "50.0 %  0:02 left\n"
        "step 4/10  epoch 1  64 img/s  labeled 6  uir 0.5  lr 0.01  acc 75.0 % (margin 25.0 %)  data wait "
        "50.0 %  0:02 left\n"
        "warning: 3 undecodable images replaced so far; uir-index --verify lists them\n");
  CHECK(fs::exists(folder / "tensorboard"));
}

TEST_CASE("monitor: the last step is shown, whatever its number") {
  const TempFolder folder;
  const Listener listener;
  MonitorOptions options = options_in(folder.path());
  options.log_every = 7;
  options.first_step = 9;
  Monitor monitor(options);
  for (const int64_t step : {9, 10}) {
    monitor.log(record_of(step));
    monitor.show(record_of(step));
  }
  CHECK_THAT(listener.said, contains_text("step 10/10  epoch 2.5"));
  CHECK(listener.said.find("step 9/10") == std::string::npos);
}

TEST_CASE("monitor: verifications are logged, and counted by their step") {
  const TempFolder folder;
  const Listener listener;
  Monitor monitor(options_in(folder.path()));
  monitor.log(record_of(1));
  monitor.log(1, VerificationScore{"lfw", "accuracy", 0.875, {{"auc", 0.75}}});
  CHECK(log_in(folder).ends_with(
      "\n"
      R"({"step":1,"verification":"lfw","metric":"accuracy","accuracy":0.875,"numbers":{"auc":0.75}})"
      "\n"));
  CHECK(listener.said == "step 1  lfw: accuracy 0.875\n");
  CHECK(monitor.verifications_of(1) == 1);
  CHECK(monitor.verifications_of(2) == 0);
}

TEST_CASE("monitor: on other ranks than the first nothing is written or said") {
  const TempFolder folder;
  const Listener listener;
  MonitorOptions options = options_in(folder / "run");
  options.writes = false;
  Monitor monitor(options);
  StepRecord record = record_of(2);
  record.skipped = true;
  monitor.log(record);
  monitor.show(record);
  monitor.log(2, VerificationScore{"lfw", "accuracy", 0.5, Json::object()});
  monitor.sync();
  CHECK(monitor.verifications_of(2) == 0);
  CHECK(listener.said.empty());
  CHECK_FALSE(fs::exists(folder / "run"));
}
