// What a training run shows of itself: one plain record per step goes in; the JSONL log gets a line of every
// step, the console and TensorBoard one of every log_every steps (means over these), both the verifications.
// The names of these numbers stand in monitor.cc and nowhere else in train/; report/training_report.cc reads
// the log.
//
// Every rank has a monitor; only rank 0's writes. Errors: those of RunLog and EventFile. Threads: one at a
// time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/train/event_file.h"
#include "uir/train/run_log.h"
#include "uir/train/step_totals.h"
#include "uir/train/verification.h"

namespace uir {

// One optimizer step, as all ranks agree on it.
struct StepRecord {
  int64_t step = 0;          // its number, from 1
  Totals totals;             // losses, correct rows, images: of all ranks
  double gradient_norm = 0;  // without the loss scale
  double loss_scale = 1;     // with which the step was computed
  double learning_rate = 0;
  std::array<double, kNumGradientSquares> gradient_squares{};  // of the head's losses; 0: not measured

  bool skipped = false;        // loss or gradient not finite: nothing was changed
  std::vector<int64_t> rows;   // of a skipped step: its rows of the index, of all ranks
  std::string first_item;      // of these rows
  int64_t skipped_so_far = 0;  // in the whole run
  int64_t skipped_in_row = 0;  // up to this step

  double seconds = 0;      // of this step
  double waited_s = 0;     // of them, for data
  double trained_s = 0;    // since this process began to train; without checkpoints and verifications
  int64_t bad_images = 0;  // undecodable ones that were replaced, so far
};

struct MonitorOptions {
  fs::path run_folder;
  bool writes = true;  // rank 0
  bool tensorboard = true;
  int64_t first_step = 1;  // what the run folder says of this step and later ones is dropped
  int64_t total_steps = 0, steps_per_epoch = 1;
  int64_t accumulation = 1;  // micro-batches of a step
  int64_t log_every = 20;
};

class Monitor {
 public:
  explicit Monitor(const MonitorOptions& options);

  // The log's line; a skipped step is warned about.
  void log(const StepRecord& record);
  // The console's and TensorBoard's numbers, if the step is one of those that show them. After log().
  void show(const StepRecord& record);
  // A verification after so many steps: all three.
  void log(int64_t step, const VerificationScore& score);

  int64_t verifications_of(int64_t step) const;  // that the log holds; 0 on other ranks than the first
  void sync();                                   // what was logged survives a crash of the machine

 private:
  // The steps since the last console line.
  struct Interval {
    Totals totals;
    double waited_s = 0;
    double begin_s = 0;  // StepRecord::trained_s at its begin
  };
  double epochs(int64_t steps) const;
  double seconds_left(const StepRecord& last, double seconds) const;
  void tell_share_of_uir(const StepRecord& record);
  void show_on_console(const StepRecord& last, double seconds) const;
  void show_in_tensorboard(const StepRecord& last, double seconds);
  void warn_of_bad_images(int64_t so_far);

  MonitorOptions options_;
  std::unique_ptr<RunLog> log_;        // null on other ranks than the first
  std::unique_ptr<EventFile> events_;  // if wanted
  Interval interval_;
  std::array<double, kNumGradientSquares> gradient_squares_{};  // sums, until the share of UIR was told
  bool told_share_of_uir_ = false;
  int64_t bad_images_ = 0;  // warned about
};

}  // namespace uir
