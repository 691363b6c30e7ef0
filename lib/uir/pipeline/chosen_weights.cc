#include "uir/pipeline/chosen_weights.h"

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/checkpoint/checkpoint.h"

namespace uir {

fs::path chosen_weights(const Experiment& experiment) {
  if (!experiment.extract.weights.empty()) return experiment.extract.weights.value;
  const fs::path root = experiment.checkpoints_folder();
  try {
    if (const auto best = best_checkpoint(root)) return open_checkpoint(root / best->name).folder();
  } catch (const Error& e) {
    log_warning(e.what(), "; using the latest checkpoint instead of the best");
  }
  if (const auto latest = latest_checkpoint(root)) return latest->folder();
  fail(ErrorKind::kMissingInput, root.string(),
       ": no checkpoint; run uir-train first or set extract.weights");
}

}  // namespace uir
