#include "uir/pipeline/run_train.h"

#include <ATen/Parallel.h>
#include <torch/version.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "uir/base/log.h"
#include "uir/checkpoint/checkpoint.h"
#include "uir/dist/rendezvous.h"
#include "uir/ranks/world.h"
#include "uir/embed/extractor.h"
#include "uir/eval/pairs.h"
#include "uir/eval/verification.h"
#include "uir/pipeline/architecture.h"
#include "uir/pipeline/compute.h"
#include "uir/pipeline/start_weights.h"
#include "uir/pipeline/stop_request.h"
#include "uir/report/training_report.h"
#include "uir/train/trainer.h"

namespace uir {
namespace {

// A verification protocol of the eval section, run on the network in memory: only the images its pairs use.
class TrainingVerification {
 public:
  TrainingVerification(const Experiment& experiment, const Index& index, const ProtocolConfig& protocol)
      : name_(protocol.name), index_(index) {
    const auto& config = std::get<VerificationProtocol>(protocol.kind);
    const std::vector<int64_t> set = index.set_rows(config.set);
    std::vector<std::string_view> items;
    for (const int64_t row : set) items.push_back(index.item(row));
    pairs_ = pairs_of(config, known_sources(experiment), items);
    std::map<int64_t, int64_t> position;  // set row → position in rows_
    for (Pair& pair : pairs_.pairs) {
      for (int64_t* row : {&pair.a, &pair.b}) {
        const auto [entry, added] = position.try_emplace(*row, static_cast<int64_t>(rows_.size()));
        if (added) rows_.push_back(set[static_cast<size_t>(*row)]);
        *row = entry->second;
      }
    }
  }

  VerificationScore measure(Backbone& backbone, const ExtractOptions& options) const {
    const auto count = static_cast<int64_t>(rows_.size());
    const int64_t dim = backbone.embedding_size();
    std::vector<float> embeddings(static_cast<size_t>(count * dim)), mirrored(embeddings.size());
    embed_rows(index_, rows_, 0, backbone, options, [&](const EmbeddingBlock& block) {
      copy_rows(block.embeddings, embeddings.data() + block.first * dim);
      copy_rows(block.mirrored, mirrored.data() + block.first * dim);
    });
    const CanonicalVectors vectors = canonical_vectors(
        {embeddings.data(), count, dim}, MatrixView{mirrored.data(), count, dim}, at::get_num_threads());
    const ProtocolResult result = run_verification(name_, vectors, pairs_, at::get_num_threads());
    VerificationScore score{name_, result.value_of("accuracy"), Json::object()};
    for (const Measurement& number : result.numbers) {
      if (number.defined()) score.numbers[number.name] = number.value;
    }
    return score;
  }

 private:
  static void copy_rows(const at::Tensor& block, float* to) {
    const at::Tensor rows = block.contiguous();
    std::copy_n(rows.data_ptr<float>(), rows.numel(), to);
  }

  std::string name_;
  Index index_;
  PairList pairs_;
  std::vector<int64_t> rows_;
};

VerifyFunction verification(const Experiment& experiment, const Index& index, const Compute& compute,
                            const std::shared_ptr<const Communicator>& ranks) {
  std::vector<TrainingVerification> protocols;
  for (const std::string& name : experiment.train.verification.protocols) {
    for (const ProtocolConfig& protocol : experiment.eval.protocols) {
      if (protocol.name == name) protocols.emplace_back(experiment, index, protocol);
    }
  }
  if (protocols.empty()) return nullptr;
  const ExtractOptions options{experiment.extract.batch, true, compute.pixel_type, compute.device,
                               experiment.data.loader,   ranks};
  return [protocols, options](Backbone& backbone) {
    std::vector<VerificationScore> scores;
    for (const TrainingVerification& protocol : protocols)
      scores.push_back(protocol.measure(backbone, options));
    return scores;
  };
}

// What a resumed run may change: where things lie, and what does not enter the weights.
void ignore_harmless(Experiment& experiment, const Experiment& from) {
  experiment.paths = from.paths;
  experiment.data.sources = from.data.sources;  // the index's fingerprint is compared instead
  experiment.data.loader = from.data.loader;
  experiment.train.log_every = from.train.log_every;
  experiment.train.tensorboard = from.train.tensorboard;
  experiment.train.checkpoint = from.train.checkpoint;
  experiment.train.verification = from.train.verification;
  experiment.train.max_nonfinite_steps = from.train.max_nonfinite_steps;
  experiment.train.device = from.train.device;
  experiment.train.ranks.compression = from.train.ranks.compression;
  experiment.train.ranks.bucket_mb = from.train.ranks.bucket_mb;
  experiment.train.ranks.timeout_s = from.train.ranks.timeout_s;
  experiment.train.threads = from.train.threads;  // compared as the number that was used
  experiment.train.init = from.train.init;
  experiment.extract = from.extract;
  experiment.eval = from.eval;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// What a result depends on to the last bit, beside the experiment.
std::string arithmetic(const std::string& device, const std::string& type, int64_t ranks, int64_t threads,
                       const std::string& libtorch) {
  return concat(device, ", ", type, ", ", ranks, " rank(s) of ", threads, " threads, LibTorch ", libtorch);
}

// Refuses a checkpoint of another experiment, option by option.
void check_resumable(const Checkpoint& checkpoint, const Experiment& experiment, const Index& index,
                     const Compute& compute, int64_t num_ranks) {
  const std::string place = checkpoint.folder().string();
  Experiment saved = parse_experiment(checkpoint.config(), place + "/config.yaml", "/");
  ignore_harmless(saved, experiment);
  const std::vector<std::string> was = lines_of(resolved_config(saved)),
                                 is = lines_of(resolved_config(experiment));
  std::string differences;
  for (size_t i = 0; i < std::max(was.size(), is.size()); ++i) {
    const std::string old_line = i < was.size() ? was[i] : "", new_line = i < is.size() ? is[i] : "";
    if (old_line != new_line) differences += concat("\n  was:", old_line, "\n  now:", new_line);
  }
  if (!differences.empty()) {
    fail(ErrorKind::kConfig, place, ": cannot resume, the experiment differs:", differences,
         "\nrestore these options, or start another run (paths.run), perhaps with train.init.from");
  }
  if (checkpoint.data_fingerprint() != index.fingerprint()) {
    fail(ErrorKind::kConfig, place,
         ": cannot resume, the data differs from what the run was trained on (index ",
         checkpoint.data_fingerprint(), ", now ", index.fingerprint(), "); restore it, or start another run");
  }
  const std::string before = arithmetic(
      checkpoint.train_state().value("device", "?"), checkpoint.train_state().value("pixel_type", "?"),
      checkpoint.num_ranks(), checkpoint.threads(), checkpoint.libtorch_version());
  const std::string now =
      arithmetic(c10::DeviceTypeName(compute.device.type(), true), c10::toString(compute.pixel_type),
                 num_ranks, at::get_num_threads(), TORCH_VERSION);
  if (before != now)
    log_warning("the run was computed with ", before, ", now with ", now, ": not the same to the last bit");
}

// The newest intact checkpoint, as rank 0 sees it.
std::optional<Checkpoint> agreed_checkpoint(const fs::path& root, const Communicator& ranks) {
  if (ranks.size() == 1) return latest_checkpoint(root);
  std::optional<Checkpoint> checkpoint;
  if (ranks.rank() == 0) checkpoint = latest_checkpoint(root);
  const int64_t step = ranks.sum(ranks.rank() > 0 ? 0 : checkpoint ? checkpoint->step() : -1);
  if (ranks.rank() > 0 && step >= 0) checkpoint = open_checkpoint(root / checkpoint_name(step));
  return checkpoint;
}

void check_data(const Experiment& experiment, const Index& index) {
  if (index.num_classes() == 0) {
    fail(ErrorKind::kConfig, experiment.index_folder().string(),
         ": no labeled faces; training needs a labeled source");
  }
}

void describe_run(const Experiment& experiment, const Index& index, const Trainer& trainer,
                  const Backbone& backbone) {
  const BatchConfig& batch = experiment.train.batch;
  log_info(trainer.num_ranks() > 1 ? concat(trainer.num_ranks(), " ranks; ") : "", index.num_classes(),
           " identities, ", index.training_rows(Role::kLabeled).size(), " labeled and ",
           index.training_rows(Role::kUnlabeled).size(), " unlabeled images; batch ", batch.labeled, " + ",
           batch.unlabeled, "; ", trainer.total_steps(), " steps; backbone of ", num_parameters(backbone),
           " parameters");
}

void report_run(const Experiment& experiment) {
  log_info(
      "report: ",
      write_training_report(experiment.run_folder(), VerificationProtocol::number_facts().meanings).string());
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

void train_as_rank(const Experiment& experiment, const TrainRun& run, const World& world,
                   const std::shared_ptr<const Communicator>& cpu_ranks) {
  const Compute compute = choose_compute(experiment.train, world);
  const std::shared_ptr<const Communicator> ranks =
      device_ranks(cpu_ranks, experiment.train.ranks, compute.device);
  const Index index = Index::open(experiment.index_folder(), Index::Check::kFull);
  check_data(experiment, index);
  const std::optional<Checkpoint> checkpoint = agreed_checkpoint(experiment.checkpoints_folder(), *ranks);
  if (checkpoint && !run.resume) {
    fail(ErrorKind::kUsage, experiment.run_folder().string(), ": holds a run at step ", checkpoint->step(),
         "; continue it with --resume, or choose another paths.run");
  }

  const uint64_t seed = experiment.train.seed;
  const auto backbone = make_backbone(experiment.model, seed);
  backbone->to(compute.device);
  const auto head = std::make_shared<Head>(experiment.head, experiment.uir.reduction, index.num_classes(),
                                           backbone->embedding_size(), seed, ranks, compute.device);
  if (!checkpoint && !experiment.train.init.from.empty())
    start_from(experiment.train.init, index, *backbone, *head);

  TrainerParts parts{.config = experiment.train,
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
                     .verify = verification(experiment, index, compute, ranks),
                     .stop_requested = stop_requested,
                     .stop_after_step = run.stop_after_step};
  create_folders(experiment.run_folder());
  Trainer trainer(std::move(parts));
  describe_run(experiment, index, trainer, *backbone);
  if (checkpoint) {
    check_resumable(*checkpoint, experiment, index, compute, ranks->size());
    trainer.resume(*checkpoint);
    log_info("resuming at step ", checkpoint->step(), " of ", trainer.total_steps());
  }
  if (ranks->rank() == 0)
    write_file_atomically(experiment.run_folder() / "config.yaml", resolved_config(experiment));
  try {
    trainer.run();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kStopped) try_to_report(experiment, *ranks);
    throw;
  }
  try_to_report(experiment, *ranks);
}

}  // namespace

void run_train(const Experiment& experiment, const TrainRun& run) {
  if (run.report_only) return report_run(experiment);
  watch_stop_signals();
  const World world = world_from_environment();
  const std::shared_ptr<const Communicator> ranks = connect(world, timeouts_of(experiment.train.ranks));
  run_as_rank(*ranks, [&] { train_as_rank(experiment, run, world, ranks); });
}

}  // namespace uir
