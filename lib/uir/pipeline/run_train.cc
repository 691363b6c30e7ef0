#include "uir/pipeline/run_train.h"

#include <memory>
#include <optional>
#include <utility>

#include "uir/base/log.h"
#include "uir/checkpoint/checkpoint.h"
#include "uir/data/training_warnings.h"
#include "uir/dist/rendezvous.h"
#include "uir/eval/verification.h"
#include "uir/network/architecture.h"
#include "uir/pipeline/available_index.h"
#include "uir/pipeline/compute.h"
#include "uir/pipeline/device_memory.h"
#include "uir/pipeline/resume_check.h"
#include "uir/pipeline/run_lock.h"
#include "uir/pipeline/start_weights.h"
#include "uir/pipeline/stop_request.h"
#include "uir/pipeline/training_verification.h"
#include "uir/ranks/world.h"
#include "uir/report/live_page.h"
#include "uir/report/report.h"
#include "uir/report/training_report.h"
#include "uir/train/trainer.h"

namespace uir {
namespace {

// The newest intact checkpoint, as rank 0 sees it.
std::optional<Checkpoint> agreed_checkpoint(const fs::path& root, const Communicator& ranks) {
  if (ranks.size() == 1) return latest_checkpoint(root);
  std::optional<Checkpoint> checkpoint;
  if (ranks.rank() == 0) checkpoint = latest_checkpoint(root);
  const int64_t step = ranks.sum(ranks.rank() > 0 ? 0 : checkpoint ? checkpoint->step() : -1);
  if (ranks.rank() > 0 && step >= 0) checkpoint = open_checkpoint(root / checkpoint_name(step));
  return checkpoint;
}

AvailableIndex labeled_index(const Experiment& experiment, const Communicator& ranks) {
  AvailableIndex available = available_index(experiment, ranks);
  if (available.index.num_classes() == 0) {
    fail(ErrorKind::kConfig, experiment.index_folder().string(),
         ": no labeled faces; training needs a labeled source");
  }
  return available;
}

// Strangers matter where the loss has any.
void warn_of(const Index& index, const BatchConfig& batch) {
  const ContentComparison contents = batch.unlabeled > 0 ? compare_contents(index) : ContentComparison();
  for (const std::string& warning : training_warnings(index, contents)) log_warning(warning);
}

// What is trained, at random.
struct Networks {
  std::shared_ptr<Backbone> backbone;
  std::shared_ptr<Head> head;
};
Networks make_networks(const Experiment& experiment, const Index& index, const Compute& compute,
                       const std::shared_ptr<const Communicator>& ranks) {
  const uint64_t seed = experiment.train.seed;
  auto backbone = make_backbone(experiment.model, seed);
  move_to(*backbone, compute.device);
  auto head = std::make_shared<Head>(experiment.head, experiment.uir.reduction, index.num_classes(),
                                     backbone->embedding_size(), seed, ranks, compute.device);
  return {std::move(backbone), std::move(head)};
}

void describe_run(const BatchConfig& batch, const Index& index, const Trainer& trainer,
                  const Backbone& backbone) {
  log_info(trainer.num_ranks() > 1 ? concat(trainer.num_ranks(), " ranks; ") : "", index.num_classes(),
           " identities, ", index.training_rows(Role::kLabeled).size(), " labeled and ",
           index.training_rows(Role::kUnlabeled).size(), " unlabeled images; batch ", batch.labeled, " + ",
           batch.unlabeled, "; ", trainer.total_steps(), " steps; backbone of ", num_parameters(backbone),
           " parameters");
}

fs::path write_training_page(const Experiment& experiment, int refresh_s) {
  return write_training_report(experiment.run_folder(), VerificationProtocol::number_facts().meanings,
                               refresh_s);
}

void report_run(const Experiment& experiment) {
  log_info("report: ", write_training_page(experiment, 0).string());
}

// What was trained is saved already: a page that cannot be written does not make the run a failure.
void try_to_report(const Experiment& experiment, const Communicator& ranks) {
  if (ranks.rank() > 0) return;
  try {
    report_run(experiment);
  } catch (const Error& error) {
    log_warning("no report: ", error.what());
  }
}

// After a run that saved all it trained: it ended, or was stopped.
void report_end(const Experiment& experiment, const Communicator& ranks, at::Device device) {
  log_peak_memory(device);
  try_to_report(experiment, ranks);
}

// Of rank 0: the page shows a training that goes on, and in the end one that does not.
void train_and_report(Trainer& trainer, const Experiment& experiment, const Communicator& ranks,
                      at::Device device) {
  std::optional<LivePage> page;
  if (ranks.rank() == 0) page.emplace([&](int refresh_s) { write_training_page(experiment, refresh_s); });
  try {
    trainer.run();
  } catch (const Error& error) {
    const bool shown = page && page->stop();
    if (error.kind() == ErrorKind::kStopped) {
      report_end(experiment, ranks, device);
    } else if (shown) {
      try_to_report(experiment, ranks);
    }
    throw;
  }
  if (page) page->stop();
  report_end(experiment, ranks, device);
}

// Rank 0's; no rank looks at a folder that another training changes.
std::unique_ptr<RunLock> lock_run(const Experiment& experiment, const Communicator& ranks) {
  std::unique_ptr<RunLock> lock;
  if (ranks.rank() == 0) lock = std::make_unique<RunLock>(experiment.run_folder());
  ranks.barrier();
  return lock;
}

void train_as_rank(const Experiment& experiment, const TrainRun& run, const World& world,
                   const std::shared_ptr<const Communicator>& cpu_ranks) {
  const Compute compute = choose_compute(experiment.train, world);
  const auto [index, built] = labeled_index(experiment, *cpu_ranks);  // before a device's group has time-outs
  const auto ranks = device_ranks(cpu_ranks, experiment.train.ranks, compute.device);
  const std::unique_ptr<RunLock> lock = lock_run(experiment, *ranks);
  if (ranks->rank() == 0 && !built) warn_of(index, experiment.train.batch);
  const std::optional<Checkpoint> checkpoint = agreed_checkpoint(experiment.checkpoints_folder(), *ranks);
  if (checkpoint && !run.resume) {
    fail(ErrorKind::kUsage, experiment.run_folder().string(), ": holds a run at step ", checkpoint->step(),
         "; continue it with --resume, or choose another paths.run");
  }

  check_device_memory(experiment, index, world, compute.device);
  const auto [backbone, head] = make_networks(experiment, index, compute, ranks);
  if (!checkpoint && !experiment.train.init.from.empty())
    start_from(experiment.train.init, index, *backbone, *head);
  VerifyFunction verify = training_verification(experiment, index, compute, ranks);
  const Selection selection = selection_of(experiment);
  if (!selection.warning.empty() && ranks->rank() == 0) log_warning(selection.warning);
  Trainer trainer({.config = experiment.train,
                   .data = experiment.data,
                   .uir = experiment.uir,
                   .margin_warmup_epochs = experiment.head.margin_warmup_epochs,
                   .index = index,
                   .backbone = backbone,
                   .head = head,
                   .communicator = ranks,
                   .device = compute.device,
                   .pixel_type = compute.pixel_type,
                   .run_folder = experiment.run_folder(),
                   .checkpoints_folder = experiment.checkpoints_folder(),
                   .resolved_config = resolved_config(experiment),
                   .model_config = architecture_json(experiment.model),
                   .verify = std::move(verify),
                   .best_by = selection.protocol,
                   .selection_warning = selection.warning,
                   .stop_requested = stop_requested,
                   .stop_after_step = run.stop_after_step,
                   .stop_grace_s = stop_grace_s()});
  describe_run(experiment.train.batch, index, trainer, *backbone);
  if (checkpoint) {
    check_resumable(*checkpoint, experiment, index, compute, ranks->size());
    trainer.resume(*checkpoint);
    log_info("resuming at step ", checkpoint->step(), " of ", trainer.total_steps());
  }
  if (ranks->rank() == 0)
    write_file_atomically(experiment.run_folder() / "config.yaml", resolved_config(experiment));
  train_and_report(trainer, experiment, *ranks, compute.device);
}

}  // namespace

void run_train(const Experiment& experiment, const TrainRun& run) {
  if (run.report_only) return report_run(experiment);
  watch_stop_signals();
  const World world = world_from_environment();
  const std::shared_ptr<const Communicator> ranks = connect(world, timeouts_of(experiment.train.ranks));
  run_as_rank(*ranks, [&] { with_device_memory([&] { train_as_rank(experiment, run, world, ranks); }); });
}

}  // namespace uir
