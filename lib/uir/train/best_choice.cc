#include "uir/train/best_choice.h"

#include <cmath>
#include <optional>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/checkpoint/checkpoint.h"

namespace uir {
namespace {

// "lfw", and of another number than the accuracy "held_out (tar_at_far_0.001)".
std::string metric_of(const VerificationScore& score) {
  return score.metric == "accuracy" ? score.protocol : concat(score.protocol, " (", score.metric, ")");
}
bool is_metric_of(const std::string& metric, const std::string& protocol) {
  return metric == protocol || metric.starts_with(protocol + " (");
}

}  // namespace

void keep_if_best(const fs::path& checkpoints_folder, int64_t step, const VerificationScore& score) {
  if (!std::isfinite(score.value)) {
    return log_warning(score.protocol, ": ", score.metric, " is not defined, and picks no best checkpoint");
  }
  std::optional<BestCheckpoint> best;
  try {
    best = best_checkpoint(checkpoints_folder);
  } catch (const Error& e) {
    log_warning(e.what(), "; the best checkpoint is counted from here on");
  }
  const std::string metric = metric_of(score);  // values of other ones are no measure for this one
  if (best && best->metric == metric && best->value >= score.value) return;
  mark_best(checkpoints_folder, {checkpoint_name(step), metric, score.value});
}

void forget_best_of_others(const fs::path& checkpoints_folder, const std::string& best_by) {
  std::optional<BestCheckpoint> best;
  try {
    best = best_checkpoint(checkpoints_folder);
  } catch (const Error&) {
    return;  // keep_if_best says it
  }
  if (!best || (!best_by.empty() && is_metric_of(best->metric, best_by))) return;
  unmark_best(checkpoints_folder);
  log_warning("the best checkpoint, ", best->name, ", was picked by ", best->metric,
              ", which picks none any more: it is no longer marked");
}

}  // namespace uir
