#include "uir/pipeline/resume_check.h"

#include <ATen/Parallel.h>
#include <torch/version.h>

#include <string>

#include "uir/base/log.h"
#include "uir/experiment/resume.h"

namespace uir {
namespace {

// What a result depends on to the last bit, beside the experiment.
std::string arithmetic(const std::string& device, const std::string& type, int64_t ranks, int64_t threads,
                       const std::string& libtorch) {
  return concat(device, ", ", type, ", ", ranks, " rank(s) of ", threads, " threads, LibTorch ", libtorch);
}

std::string arithmetic_of(const Checkpoint& checkpoint) {
  const Json& state = checkpoint.train_state();
  return arithmetic(state.value("device", "?"), state.value("pixel_type", "?"), checkpoint.num_ranks(),
                    checkpoint.threads(), checkpoint.libtorch_version());
}

void check_options(const Checkpoint& checkpoint, const Experiment& experiment) {
  const std::string place = checkpoint.folder().string();
  const std::string differences =
      differences_on_resume(parse_experiment(checkpoint.config(), place + "/config.yaml", "/"), experiment);
  if (differences.empty()) return;
  fail(ErrorKind::kConfig, place, ": cannot resume, the experiment differs:", differences,
       "\nrestore these options, or start another run (paths.run), perhaps with train.init.from");
}

void check_same_data(const Checkpoint& checkpoint, const Index& index) {
  if (checkpoint.data_fingerprint() == index.fingerprint()) return;
  fail(ErrorKind::kConfig, checkpoint.folder().string(),
       ": cannot resume, the data differs from what the run was trained on (index ",
       checkpoint.data_fingerprint(), ", now ", index.fingerprint(), "); restore it, or start another run");
}

}  // namespace

void check_resumable(const Checkpoint& checkpoint, const Experiment& experiment, const Index& index,
                     const Compute& compute, int64_t num_ranks) {
  check_options(checkpoint, experiment);
  check_same_data(checkpoint, index);
  const std::string before = arithmetic_of(checkpoint);
  const std::string now =
      arithmetic(c10::DeviceTypeName(compute.device.type(), true), c10::toString(compute.pixel_type),
                 num_ranks, at::get_num_threads(), TORCH_VERSION);
  if (before != now)
    log_warning("the run was computed with ", before, ", now with ", now, ": not the same to the last bit");
}

}  // namespace uir
