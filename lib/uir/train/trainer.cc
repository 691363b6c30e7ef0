#include "uir/train/trainer.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "uir/base/log.h"
#include "uir/base/stopwatch.h"
#include "uir/checkpoint/background_writer.h"
#include "uir/data/loader.h"
#include "uir/data/sampler.h"
#include "uir/dist/gradient_reducer.h"
#include "uir/model/state_dict.h"
#include "uir/train/batch_feed.h"
#include "uir/train/loss_scaler.h"
#include "uir/train/monitor.h"
#include "uir/train/optimizer.h"
#include "uir/train/running_state.h"
#include "uir/train/schedule.h"

namespace uir {
namespace {

std::vector<at::Tensor> trained_tensors(const Backbone& backbone) {
  std::vector<at::Tensor> tensors;
  for (const at::Tensor& tensor : backbone.parameters()) {
    if (tensor.requires_grad()) tensors.push_back(tensor);
  }
  return tensors;
}

std::vector<Parameter> trained_parameters(const TrainConfig& config, const Backbone& backbone, Head& head) {
  std::vector<Parameter> parameters;
  for (const auto& entry : backbone.named_parameters()) {
    if (!entry.value().requires_grad()) continue;
    // Batch norms, PReLU slopes and biases are the parameters of one dimension.
    const bool decays = config.optimizer.decay_norm_and_prelu || entry.value().dim() > 1;
    parameters.push_back({entry.key(), entry.value(), decays, false});
  }
  parameters.push_back({"centers", head.centers(), true, true, head.touched_rows()});
  return parameters;
}

// "lfw", and of another number than the accuracy "held_out (tar_at_far_0.001)".
std::string metric_of(const VerificationScore& score) {
  return score.metric == "accuracy" ? score.protocol : concat(score.protocol, " (", score.metric, ")");
}
bool is_metric_of(const std::string& metric, const std::string& protocol) {
  return metric == protocol || metric.starts_with(protocol + " (");
}

// Of this rank's rows of a micro-batch among those of all ranks, all labeled rows first.
std::vector<int64_t> row_numbers(const BatchConfig& batch, const Communicator& ranks) {
  const int64_t parts = batch.accumulation * ranks.size();
  const int64_t labeled = batch.labeled / parts, unlabeled = batch.unlabeled / parts;
  std::vector<int64_t> numbers(static_cast<size_t>(labeled + unlabeled));
  const auto first_unlabeled = numbers.begin() + labeled;
  std::iota(numbers.begin(), first_unlabeled, ranks.rank() * labeled);
  std::iota(first_unlabeled, numbers.end(), ranks.size() * labeled + ranks.rank() * unlabeled);
  return numbers;
}

}  // namespace

struct Trainer::Impl {
  explicit Impl(TrainerParts given)
      : parts(std::move(given)),
        sampler(parts.index, shape_of(parts.config.batch, *parts.communicator), parts.config.seed),
        optimizer(parts.config.optimizer, trained_parameters(parts.config, *parts.backbone, *parts.head)),
        running(*parts.backbone, *parts.head),
        reducer(
            trained_tensors(*parts.backbone), parts.communicator->another(),
            {parts.config.ranks.bucket_mb, parts.config.ranks.compression == GradientCompression::kBFloat16}),
        writer(parts.checkpoints_folder, parts.config.checkpoint.keep_last,
               writers(parts.communicator->another()), parts.stop_grace_s),
        total_steps(sampler.steps_per_epoch() * parts.config.epochs) {
    parts.backbone->number_rows(row_numbers(parts.config.batch, *parts.communicator));
    if (num_ranks() == 1 || parts.config.ranks.batch_norm == BatchNormStatistics::kLocal) return;
    // Its own group: its gathers run between the reducer's sums.
    synchronize_batch_norms(*parts.backbone, [group = parts.communicator->another()](const at::Tensor& row) {
      return group->all_gather_rows(row);
    });
  }

  static TrainingSampler::Shape shape_of(const BatchConfig& batch, const Communicator& ranks) {
    return {batch.labeled, batch.unlabeled, batch.accumulation, ranks.rank(), ranks.size()};
  }
  int64_t num_ranks() const { return parts.communicator->size(); }
  bool is_first() const { return parts.communicator->rank() == 0; }
  static RankGroup writers(const std::shared_ptr<const Communicator>& ranks);

  void resume(const Checkpoint& checkpoint);
  void run();

  // One optimizer step in its parts.
  StepRecord train_step(const Loader& loader, BatchFeed& feed);
  void accumulate(BatchFeed& feed, bool last, Totals& totals);
  GradientSquares gradient_squares() const;
  void update(const StepRecord& record, const GradientSquares& squares);
  void undo(StepRecord& record);
  HeadStep head_step() const;
  bool scales_loss() const { return parts.pixel_type == at::kHalf; }
  double loss_scale() const { return scales_loss() ? scaler.scale() : 1; }
  bool verification_due() const {
    const int64_t every = parts.config.verification.every_steps;
    return parts.verify && (step == total_steps || (every > 0 && step % every == 0));
  }
  double epoch() const { return static_cast<double>(step) / static_cast<double>(sampler.steps_per_epoch()); }

  // What happens between steps.
  void end_if_nothing_is_finite() const;
  void at_step_boundary();
  bool agreed_stop();
  bool verification_is_missing() const;
  void verify();
  void keep_if_best(const VerificationScore& score);
  void forget_best_of_others() const;
  void save();
  CheckpointContents contents() const;
  Monitor make_monitor() const;
  Loader make_loader() const;

  TrainerParts parts;
  TrainingSampler sampler;
  Optimizer optimizer;
  LossScaler scaler;
  RunningState running;
  GradientReducer reducer;
  BackgroundWriter writer;
  const int64_t total_steps;
  std::optional<Monitor> monitor;  // from the start of run() on
  Stopwatch training_time;

  int64_t step = 0;  // optimizer steps done, skipped ones included
  int64_t skipped = 0, skipped_in_row = 0;
  int64_t saved_step = -1;
};

Trainer::Trainer(TrainerParts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
Trainer::~Trainer() = default;
int64_t Trainer::total_steps() const { return impl_->total_steps; }
int64_t Trainer::num_ranks() const { return impl_->num_ranks(); }
void Trainer::resume(const Checkpoint& checkpoint) { impl_->resume(checkpoint); }
void Trainer::run() { impl_->run(); }

void Trainer::Impl::resume(const Checkpoint& checkpoint) {
  const at::NoGradGuard no_grad;
  load_state_dict(*parts.backbone, checkpoint.model());
  const RowRange rows = parts.head->range();
  parts.head->centers().copy_(checkpoint.read_centers(rows));
  optimizer.load_state(checkpoint.optimizer(), checkpoint.read_centers_optimizer(rows));
  const NamedTensors state = checkpoint.state();
  if (const auto margin = state.find("margin_state"); margin != state.end()) {
    parts.head->margin_state().copy_(margin->second);
  }
  const Json& saved = checkpoint.train_state();
  const std::string place = (checkpoint.folder() / "manifest.json").string();
  scaler.load_state(json_at<Json>(saved, "loss_scaler", place));
  skipped = json_at<int64_t>(saved, "skipped", place);
  skipped_in_row = json_at<int64_t>(saved, "skipped_in_row", place);
  step = saved_step = checkpoint.step();
}

Loader Trainer::Impl::make_loader() const {
  LoaderOptions options;
  options.config = parts.data.loader;
  options.augment = parts.data.augment;
  options.training = true;
  options.seed = parts.config.seed;
  options.first_batch = step * parts.config.batch.accumulation;
  options.num_batches = (total_steps - step) * parts.config.batch.accumulation;
  return Loader(
      parts.index, [this](int64_t batch) { return sampler.micro_batch(batch); }, options);
}

Monitor Trainer::Impl::make_monitor() const {
  return Monitor({.run_folder = parts.run_folder,
                  .writes = is_first(),
                  .tensorboard = parts.config.tensorboard,
                  .first_step = step + 1,
                  .total_steps = total_steps,
                  .steps_per_epoch = sampler.steps_per_epoch(),
                  .accumulation = parts.config.batch.accumulation,
                  .log_every = parts.config.log_every});
}

void Trainer::Impl::run() {
  if (is_first()) {
    remove_leftovers(parts.checkpoints_folder);
    forget_best_of_others();
  }
  monitor.emplace(make_monitor());
  parts.communicator->barrier();
  parts.backbone->train();
  if (parts.stop_after_step > 0 && step >= parts.stop_after_step && step < total_steps) {
    fail(ErrorKind::kUsage, "--stop-after ", parts.stop_after_step, ": the run is at step ", step,
         " already");
  }
  if (verification_is_missing()) verify();
  Loader loader = make_loader();
  BatchFeed feed(loader, parts.device);
  training_time = Stopwatch();
  while (step < total_steps) {
    const StepRecord record = train_step(loader, feed);
    monitor->log(record);
    end_if_nothing_is_finite();
    {
      const Stopwatch::Pause pause(training_time);
      monitor->show(record);
    }
    at_step_boundary();
  }
  save();
  writer.wait();
}

StepRecord Trainer::Impl::train_step(const Loader& loader, BatchFeed& feed) {
  const double begin_s = training_time.seconds(), waited_before_s = loader.waited_s();
  running.save();
  optimizer.zero_gradients();
  StepRecord record;
  for (int64_t part = 0; part < parts.config.batch.accumulation; ++part) {
    feed.next();
    accumulate(feed, part + 1 == parts.config.batch.accumulation, record.totals);
  }
  record.totals.images *= num_ranks();
  const GradientSquares squares = gradient_squares();
  record.loss_scale = loss_scale();
  record.gradient_norm = std::sqrt(squares.replicated + squares.sharded) / record.loss_scale;
  record.learning_rate = learning_rate(parts.config.schedule, step, sampler.steps_per_epoch(), total_steps);
  record.skipped = !std::isfinite(record.totals.total) || !std::isfinite(record.gradient_norm);
  record.skipped ? undo(record) : update(record, squares);
  if (scales_loss()) scaler.update(!record.skipped);
  record.step = ++step;
  record.skipped_so_far = skipped;
  record.skipped_in_row = skipped_in_row;
  record.trained_s = training_time.seconds();
  record.seconds = record.trained_s - begin_s;
  record.waited_s = loader.waited_s() - waited_before_s;
  record.bad_images = loader.num_bad_images();
  return record;
}

void Trainer::Impl::accumulate(BatchFeed& feed, bool last, Totals& totals) {
  const Batch& batch = feed.batch();
  const HeadStep options = head_step();
  const at::Tensor labels = at::tensor(
      at::ArrayRef<int64_t>(batch.labels.data(), static_cast<size_t>(options.num_labeled)), at::kLong);
  const at::Tensor pixels = normalize_pixels(feed.images(), parts.pixel_type);
  const at::Tensor embeddings = parts.backbone->forward(pixels);
  const HeadLoss loss = parts.head->loss_and_gradients(embeddings.detach(), labels.to(parts.device), options);
  reducer.run(last ? GradientReducer::Sync::kReduce : GradientReducer::Sync::kAccumulate,
              [&] { embeddings.backward(loss.embeddings_gradient); });
  totals.add(loss, batch);
  feed.prefetch();
}

HeadStep Trainer::Impl::head_step() const {
  const BatchConfig& batch = parts.config.batch;
  const double warmup_steps = parts.margin_warmup_epochs * static_cast<double>(sampler.steps_per_epoch());
  HeadStep options;
  options.num_labeled = batch.labeled / (batch.accumulation * num_ranks());
  options.uir_weight = epoch() < parts.uir.start_epoch ? 0 : parts.uir.weight;
  options.margin_factor = std::min(1.0, static_cast<double>(step + 1) / std::max(warmup_steps, 1.0));
  options.gradient_scale = loss_scale() / static_cast<double>(batch.accumulation);
  options.sample_key = static_cast<uint64_t>(step);
  return options;
}

// Of the whole gradient, class centers of all ranks included, with the loss scale in it.
GradientSquares Trainer::Impl::gradient_squares() const {
  GradientSquares squares = optimizer.gradient_squares();
  at::Tensor sharded = at::tensor({squares.sharded}, at::kDouble);
  parts.communicator->all_reduce_sum(sharded);
  squares.sharded = sharded.item<double>();
  return squares;
}

void Trainer::Impl::update(const StepRecord& record, const GradientSquares& squares) {
  const double scale = loss_scale();
  const GradientFactors clip = clip_factors(
      parts.config.optimizer, {squares.replicated / scale / scale, squares.sharded / scale / scale});
  optimizer.step(record.learning_rate, {clip.replicated / scale, clip.sharded / scale});
  if (parts.config.ranks.batch_norm == BatchNormStatistics::kLocal) running.average(*parts.communicator);
  skipped_in_row = 0;
}

void Trainer::Impl::undo(StepRecord& record) {
  running.restore();
  ++skipped;
  ++skipped_in_row;
  const at::Tensor rows = parts.communicator->all_gather_rows(at::tensor(record.totals.rows, at::kLong));
  record.rows.assign(rows.data_ptr<int64_t>(), rows.data_ptr<int64_t>() + rows.numel());
  record.first_item = parts.index.item(record.rows.front());
}

void Trainer::Impl::end_if_nothing_is_finite() const {
  if (skipped_in_row < parts.config.max_nonfinite_steps) return;
  fail(ErrorKind::kData, "step ", step, ": loss or gradient not finite in ", skipped_in_row,
       " steps in a row; the last checkpoint is intact: lower the learning rate or the scale, or look at "
       "the rows in ",
       (parts.run_folder / "log.jsonl").string());
}

void Trainer::Impl::at_step_boundary() {
  const TrainConfig& config = parts.config;
  if (step % config.checkpoint.every_steps == 0) save();
  if (verification_due()) verify();
  if (agreed_stop() || (step == parts.stop_after_step && step < total_steps)) {
    save();
    writer.wait();
    fail(ErrorKind::kStopped, "stopped at step ", step, " of ", total_steps, "; continue with --resume");
  }
}

// Whether any rank was asked to stop before the end. Throws on all ranks if a checkpoint could not be
// written.
bool Trainer::Impl::agreed_stop() {
  constexpr int64_t kFailed = int64_t{1} << 32;
  const bool here = parts.stop_requested && parts.stop_requested();
  const int64_t all = parts.communicator->sum((here ? 1 : 0) + (writer.failed() ? kFailed : 0));
  if (all >= kFailed) {
    writer.wait();
    fail(ErrorKind::kIo, parts.checkpoints_folder.string(), ": another rank could not write its part");
  }
  return all > 0 && step < total_steps;
}

// A crash may have come between a checkpoint and its verification.
bool Trainer::Impl::verification_is_missing() const {
  if (step == 0 || !verification_due()) return false;
  const auto wanted = static_cast<int64_t>(parts.config.verification.protocols.size());
  const bool missing = is_first() && monitor->verifications_of(step) < wanted;
  return parts.communicator->sum(missing ? 1 : 0) > 0;
}

void Trainer::Impl::verify() {
  save();  // what was trained must not depend on the verification's success
  const Stopwatch::Pause not_training(training_time);
  const std::vector<VerificationScore> scores = parts.verify(*parts.backbone);
  writer.wait();  // only what is saved can be the best
  for (const VerificationScore& score : scores) {
    if (is_first()) keep_if_best(score);
    monitor->log(step, score);
  }
}

void Trainer::Impl::keep_if_best(const VerificationScore& score) {
  if (score.protocol != parts.best_by) return;
  if (!std::isfinite(score.value)) {
    return log_warning(score.protocol, ": ", score.metric, " is not defined, and picks no best checkpoint");
  }
  std::optional<BestCheckpoint> best;
  try {
    best = best_checkpoint(parts.checkpoints_folder);
  } catch (const Error& e) {
    log_warning(e.what(), "; the best checkpoint is counted from here on");
  }
  const std::string metric = metric_of(score);  // values of other ones are no measure for this one
  if (best && best->metric == metric && best->value >= score.value) return;
  mark_best(parts.checkpoints_folder, {checkpoint_name(step), metric, score.value});
}

// What another protocol marked as the best, before the run was resumed, is the best no more.
void Trainer::Impl::forget_best_of_others() const {
  std::optional<BestCheckpoint> best;
  try {
    best = best_checkpoint(parts.checkpoints_folder);
  } catch (const Error&) {
    return;  // keep_if_best says it
  }
  if (!best || (!parts.best_by.empty() && is_metric_of(best->metric, parts.best_by))) return;
  unmark_best(parts.checkpoints_folder);
  log_warning("the best checkpoint, ", best->name, ", was picked by ", best->metric,
              ", which picks none any more: it is no longer marked");
}

void Trainer::Impl::save() {
  if (saved_step == step) return;
  const Stopwatch::Pause not_training(training_time);
  monitor->sync();
  const bool background = parts.config.checkpoint.background;
  writer.start(background ? snapshot(contents()) : contents());
  if (!background) writer.wait();
  saved_step = step;
}

RankGroup Trainer::Impl::writers(const std::shared_ptr<const Communicator>& ranks) {
  return {ranks->rank(), ranks->size(), [ranks](int64_t value) { return ranks->sum(value); }};
}

CheckpointContents Trainer::Impl::contents() const {
  CheckpointContents contents;
  contents.step = step;
  contents.model = state_dict(*parts.backbone);
  contents.optimizer = optimizer.state(false);
  if (parts.head->margin_state().defined()) contents.state["margin_state"] = parts.head->margin_state();
  contents.num_classes = parts.head->num_classes();
  contents.rows = parts.head->range();
  contents.centers = parts.head->centers().detach();
  contents.centers_optimizer = optimizer.state(true);
  contents.model_config = parts.model_config;
  contents.train_state = {{"device", c10::DeviceTypeName(parts.device.type(), true)},
                          {"pixel_type", c10::toString(parts.pixel_type)},
                          {"loss_scaler", scaler.state()},
                          {"skipped", skipped},
                          {"skipped_in_row", skipped_in_row}};
  contents.config = parts.resolved_config;
  contents.selection_warning = parts.selection_warning;
  contents.data_fingerprint = parts.index.fingerprint();
  contents.classes_fingerprint = parts.index.classes_fingerprint();
  contents.threads = at::get_num_threads();
  return contents;
}

}  // namespace uir
