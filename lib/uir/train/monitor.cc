#include "uir/train/monitor.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "uir/base/log.h"
#include "uir/base/progress.h"
#include "uir/base/progress_sink.h"

namespace uir {
namespace {

// Marks a line of the log as a verification's.
constexpr const char* kVerification = "verification";

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

std::string significant(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

bool is_measured(const StepRecord& record) {
  const auto& squares = record.gradient_squares;
  return std::any_of(squares.begin(), squares.end(), [](double square) { return square > 0; });
}

Json gradient_norms(const StepRecord& record) {
  const auto norm = [&](GradientSquare which) { return std::sqrt(record.gradient_squares[which]); };
  return {{"embeddings_labeled", norm(kEmbeddingsLabeled)},
          {"embeddings_uir", norm(kEmbeddingsUir)},
          {"centers_labeled", norm(kCentersLabeled)},
          {"centers_uir", norm(kCentersUir)}};
}

Json log_line(const StepRecord& record, double epoch) {
  const Totals& totals = record.totals;
  Json line{{"step", record.step},
            {"epoch", epoch},
            {"labeled", totals.mean(totals.labeled)},
            {"uir", totals.mean(totals.uir)},
            {"total", totals.mean(totals.total)},
            {"accuracy", totals.share(totals.correct)},
            {"accuracy_with_margin", totals.share(totals.correct_with_margin)},
            {"gradient_norm", record.gradient_norm}};
  if (is_measured(record)) line["gradient_norms"] = gradient_norms(record);
  if (record.skipped) {
    line["rows"] = record.rows;
  } else {
    line["lr"] = record.learning_rate;
  }
  line["skipped"] = record.skipped_so_far;
  line["images_per_s"] = static_cast<double>(totals.images) / record.seconds;
  line["waited_s"] = record.waited_s;
  return line;
}

Scalars scalars_of(const VerificationScore& score) {
  const std::string group = "verification_" + score.protocol + "/";
  Scalars scalars;
  if (!score.numbers.contains(score.metric)) scalars.emplace_back(group + score.metric, score.value);
  for (const auto& [name, value] : score.numbers.items()) {
    if (value.is_number()) scalars.emplace_back(group + name, value.get<double>());
  }
  return scalars;
}

}  // namespace

Monitor::Monitor(const MonitorOptions& options) : options_(options) {
  if (!options.writes) return;
  log_ = std::make_unique<RunLog>(options.run_folder / "log.jsonl", options.first_step);
  if (options.tensorboard && options.first_step <= options.total_steps)
    events_ = std::make_unique<EventFile>(options.run_folder / "tensorboard", options.first_step);
}

double Monitor::epochs(int64_t steps) const {
  return static_cast<double>(steps) / static_cast<double>(options_.steps_per_epoch);
}

void Monitor::log(const StepRecord& record) {
  if (!log_) return;
  if (record.skipped) {
    log_warning("step ", record.step, ": loss or gradient not finite; step skipped (", record.skipped_in_row,
                " in a row), its rows are in the log; first: ", record.first_item);
  }
  interval_.totals.add(record.totals);
  interval_.waited_s += record.waited_s;
  log_->write(log_line(record, epochs(record.step - 1)));
  tell_share_of_uir(record);
}

// Once, at the end of the first epoch in which the UIR loss has a weight: whether it does anything.
void Monitor::tell_share_of_uir(const StepRecord& record) {
  if (told_share_of_uir_ || record.skipped || record.gradient_squares[kEmbeddingsUir] == 0) return;
  for (size_t i = 0; i < gradient_squares_.size(); ++i) gradient_squares_[i] += record.gradient_squares[i];
  if (record.step % options_.steps_per_epoch != 0) return;
  const auto share = [this](GradientSquare uir, GradientSquare labeled) {
    return percent(std::sqrt(gradient_squares_[uir] / gradient_squares_[labeled]));
  };
  log_info("gradient of lambda * UIR loss, relative to the labeled loss's: ",
           share(kEmbeddingsUir, kEmbeddingsLabeled), " on embeddings, ", share(kCentersUir, kCentersLabeled),
           " on class centers");
  told_share_of_uir_ = true;
}

void Monitor::show(const StepRecord& record) {
  if (!log_ || (record.step % options_.log_every != 0 && record.step != options_.total_steps)) return;
  const double seconds = record.trained_s - interval_.begin_s;
  show_on_console(record, seconds);
  show_in_tensorboard(record, seconds);
  warn_of_bad_images(record.bad_images);
  interval_ = {.totals = {}, .waited_s = 0, .begin_s = record.trained_s};
}

// At the rate of the interval, which took `seconds`.
double Monitor::seconds_left(const StepRecord& last, double seconds) const {
  const double steps =
      static_cast<double>(interval_.totals.losses) / static_cast<double>(options_.accumulation);
  return seconds / steps * static_cast<double>(options_.total_steps - last.step);
}

void Monitor::show_on_console(const StepRecord& last, double seconds) const {
  const Totals& totals = interval_.totals;
  log_info("step ", last.step, "/", options_.total_steps, "  epoch ", significant(epochs(last.step)), "  ",
           std::llround(static_cast<double>(totals.images) / seconds), " img/s  labeled ",
           significant(totals.mean(totals.labeled)), "  uir ", significant(totals.mean(totals.uir)), "  lr ",
           significant(last.learning_rate), "  acc ", percent(totals.share(totals.correct)), " (margin ",
           percent(totals.share(totals.correct_with_margin)), ")  data wait ",
           percent(interval_.waited_s / seconds), "  ", format_duration(seconds_left(last, seconds)),
           " left");
  report_progress({"training", last.step, options_.total_steps, "steps", seconds_left(last, seconds)});
}

void Monitor::show_in_tensorboard(const StepRecord& last, double seconds) {
  if (!events_) return;
  const Totals& totals = interval_.totals;
  events_->write(last.step, {{"loss/labeled", totals.mean(totals.labeled)},
                             {"loss/uir", totals.mean(totals.uir)},
                             {"loss/total", totals.mean(totals.total)},
                             {"accuracy/without_margin", totals.share(totals.correct)},
                             {"accuracy/with_margin", totals.share(totals.correct_with_margin)},
                             {"training/learning_rate", last.learning_rate},
                             {"training/gradient_norm", last.gradient_norm},
                             {"training/loss_scale", last.loss_scale},
                             {"training/epoch", epochs(last.step)},
                             {"training/skipped_steps", static_cast<double>(last.skipped_so_far)},
                             {"speed/images_per_s", static_cast<double>(totals.images) / seconds},
                             {"speed/data_wait", interval_.waited_s / seconds},
                             {"speed/seconds_left", seconds_left(last, seconds)}});
  if (!is_measured(last)) return;
  const Json measured = gradient_norms(last);  // items() refers to it
  Scalars norms;
  for (const auto& [name, norm] : measured.items())
    norms.emplace_back("gradient_norms/" + name, norm.get<double>());
  events_->write(last.step, norms);
}

void Monitor::warn_of_bad_images(int64_t so_far) {
  if (so_far > bad_images_)
    log_warning(so_far, " undecodable images replaced so far; uir-index --verify lists them");
  bad_images_ = so_far;
}

void Monitor::log(int64_t step, const VerificationScore& score) {
  if (!log_) return;
  log_info("step ", step, "  ", score.protocol, ": ", score.metric, " ", significant(score.value));
  log_->write({{"step", step},
               {kVerification, score.protocol},
               {"metric", score.metric},
               {score.metric, score.value},
               {"numbers", score.numbers}});
  if (events_) events_->write(step, scalars_of(score));
}

int64_t Monitor::verifications_of(int64_t step) const { return log_ ? log_->count(step, kVerification) : 0; }

void Monitor::sync() {
  if (log_) log_->sync();
}

}  // namespace uir
