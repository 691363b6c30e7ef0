#include "uir/train/trainer.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "uir/base/log.h"
#include "uir/base/stopwatch.h"
#include "uir/checkpoint/background_writer.h"
#include "uir/data/loader.h"
#include "uir/data/sampler.h"
#include "uir/device/transfer.h"
#include "uir/dist/gradient_reducer.h"
#include "uir/model/state_dict.h"
#include "uir/train/batch_feed.h"
#include "uir/train/best_choice.h"
#include "uir/train/loss_scaler.h"
#include "uir/train/monitor.h"
#include "uir/train/network_passes.h"
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

ReducerOptions reducer_options(const TrainConfig& config) {
  return {.bucket_mb = config.ranks.bucket_mb,
          .compress_bf16 = config.ranks.compression == GradientCompression::kBFloat16,
          .overlaps = !config.cuda_graphs};
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
        passes(parts.backbone, parts.pixel_type,
               parts.config.cuda_graphs ? make_step_graphs(parts.device) : nullptr),
        reducer(trained_tensors(*parts.backbone), parts.communicator->another(),
                reducer_options(parts.config)),
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

  // A step whose numbers the device may not have computed yet.
  struct Pending {
    StepRecord record;
    // The sum of HeadLoss::numbers, the last micro-batch's gradient_squares, and the square of the norm of
    // the whole gradient.
    Download numbers;
  };

  // One optimizer step in its parts. Nothing in train_step waits for a device; settle does.
  Pending train_step(BatchFeed& feed);
  HeadLoss accumulate(BatchFeed& feed, bool last, Totals& totals);
  GradientSquares gradient_squares() const;
  void update(double learning_rate, const GradientSquares& squares, const at::Tensor& skip);
  void settle();
  void undo(StepRecord& record);
  HeadStep head_step() const;
  // In the steps that the console shows, and in the last one of each epoch.
  bool measures_gradients() const {
    return (step + 1) % parts.config.log_every == 0 || (step + 1) % sampler.steps_per_epoch() == 0;
  }
  bool scales_loss() const { return parts.pixel_type == at::kHalf; }
  double loss_scale() const { return scales_loss() ? scaler.scale() : 1; }
  // A step's numbers are read when the next one is queued; the loss scale depends on them.
  bool reads_late() const { return !parts.device.is_cpu() && !scales_loss(); }
  bool verification_due() const {
    const int64_t every = parts.config.verification.every_steps;
    return parts.verify && (step == total_steps || (every > 0 && step % every == 0));
  }
  double epoch() const { return static_cast<double>(step) / static_cast<double>(sampler.steps_per_epoch()); }

  // What happens between steps.
  void end_if_nothing_is_finite(int64_t at_step) const;
  void at_step_boundary();
  bool agreed_stop();
  bool verification_is_missing() const;
  void verify();
  void save();
  CheckpointContents contents() const;
  Monitor make_monitor() const;
  std::unique_ptr<Loader> make_loader() const;

  TrainerParts parts;
  TrainingSampler sampler;
  Optimizer optimizer;
  LossScaler scaler;
  RunningState running;
  NetworkPasses passes;
  GradientReducer reducer;
  BackgroundWriter writer;
  const int64_t total_steps;
  // From the start of run() on:
  std::optional<Monitor> monitor;
  std::unique_ptr<Loader> loader;
  Stopwatch training_time;
  double settled_s = 0, waited_s = 0;  // of training_time and of the loader, when a step was settled last
  std::optional<Pending> pending;

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

std::unique_ptr<Loader> Trainer::Impl::make_loader() const {
  LoaderOptions options;
  options.config = parts.data.loader;
  options.augment = parts.data.augment;
  options.training = true;
  options.seed = parts.config.seed;
  options.first_batch = step * parts.config.batch.accumulation;
  options.num_batches = (total_steps - step) * parts.config.batch.accumulation;
  return std::make_unique<Loader>(
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
    forget_best_of_others(parts.checkpoints_folder, parts.best_by);
  }
  monitor.emplace(make_monitor());
  parts.communicator->barrier();
  parts.backbone->train();
  if (parts.stop_after_step > 0 && step >= parts.stop_after_step && step < total_steps) {
    fail(ErrorKind::kUsage, "--stop-after ", parts.stop_after_step, ": the run is at step ", step,
         " already");
  }
  if (verification_is_missing()) verify();
  loader = make_loader();
  BatchFeed feed(*loader, parts.device);
  training_time = Stopwatch();
  while (step < total_steps) {
    Pending next = train_step(feed);
    settle();  // the step before
    pending = std::move(next);
    if (!reads_late()) settle();
    at_step_boundary();
  }
  save();
  writer.wait();
}

Trainer::Impl::Pending Trainer::Impl::train_step(BatchFeed& feed) {
  running.save();
  optimizer.zero_gradients();
  Pending next;
  StepRecord& record = next.record;
  at::Tensor losses;
  HeadLoss loss;
  for (int64_t part = 0; part < parts.config.batch.accumulation; ++part) {
    feed.next();
    loss = accumulate(feed, part + 1 == parts.config.batch.accumulation, record.totals);
    losses = losses.defined() ? losses + loss.numbers : loss.numbers;
  }
  record.totals.images *= num_ranks();
  record.loss_scale = loss_scale();
  record.learning_rate = learning_rate(parts.config.schedule, step, sampler.steps_per_epoch(), total_steps);
  const GradientSquares squares = gradient_squares();
  const at::Tensor square = squares.replicated + squares.sharded;
  const at::Tensor finite = losses[kTotalLoss].isfinite().logical_and_(square.isfinite());
  update(record.learning_rate, squares, finite.logical_not());
  next.numbers = Download(at::cat({losses, loss.gradient_squares, square.unsqueeze(0)}));
  record.step = ++step;
  return next;
}

// What the device has computed meanwhile is counted and logged.
void Trainer::Impl::settle() {
  if (!pending) return;
  StepRecord record = std::move(pending->record);
  const at::Tensor numbers = pending->numbers.wait();
  pending.reset();
  const double* squares = numbers.data_ptr<double>() + kNumLossNumbers;
  record.totals.add(numbers.data_ptr<double>());
  std::copy_n(squares, kNumGradientSquares, record.gradient_squares.begin());
  record.gradient_norm = std::sqrt(squares[kNumGradientSquares]);
  record.skipped = !std::isfinite(record.totals.total) || !std::isfinite(record.gradient_norm);
  if (record.skipped) {
    undo(record);
  } else {
    skipped_in_row = 0;
  }
  if (scales_loss()) scaler.update(!record.skipped);
  record.skipped_so_far = skipped;
  record.skipped_in_row = skipped_in_row;
  record.trained_s = training_time.seconds();
  record.seconds = record.trained_s - std::exchange(settled_s, record.trained_s);
  record.waited_s = loader->waited_s() - std::exchange(waited_s, loader->waited_s());
  record.bad_images = loader->num_bad_images();
  monitor->log(record);
  end_if_nothing_is_finite(record.step);
  const Stopwatch::Pause pause(training_time);
  monitor->show(record);
}

HeadLoss Trainer::Impl::accumulate(BatchFeed& feed, bool last, Totals& totals) {
  const Batch& batch = feed.batch();
  HeadStep options = head_step();
  options.measures_gradients = last && measures_gradients();
  const at::Tensor labels = at::tensor(
      at::ArrayRef<int64_t>(batch.labels.data(), static_cast<size_t>(options.num_labeled)), at::kLong);
  const at::Tensor embeddings = passes.forward(feed.images());
  const HeadLoss loss = parts.head->loss_and_gradients(embeddings, labels, options);
  reducer.run(last ? GradientReducer::Sync::kReduce : GradientReducer::Sync::kAccumulate,
              [&] { passes.backward(loss.embeddings_gradient); });
  totals.count(batch, loss.num_labeled);
  feed.prefetch();
  return loss;
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

// Of the whole gradient, class centers of all ranks included, without the loss scale.
GradientSquares Trainer::Impl::gradient_squares() const {
  GradientSquares squares = optimizer.gradient_squares();
  parts.communicator->all_reduce_sum(squares.sharded);
  const double scale = loss_scale() * loss_scale();
  return {squares.replicated / scale, squares.sharded / scale};
}

// skip: bool scalar on the device; the step changes nothing if it is true.
void Trainer::Impl::update(double learning_rate, const GradientSquares& squares, const at::Tensor& skip) {
  GradientFactors factors = clip_factors(parts.config.optimizer, squares);
  factors.replicated = factors.replicated / loss_scale();
  factors.sharded = factors.sharded / loss_scale();
  factors.skip = skip;
  optimizer.step(learning_rate, factors);
  if (parts.config.ranks.batch_norm == BatchNormStatistics::kLocal) running.average(*parts.communicator);
  running.restore(skip);
}

// What the host has to take back of a step that changed nothing on the device.
void Trainer::Impl::undo(StepRecord& record) {
  running.forget(parts.config.batch.accumulation);
  ++skipped;
  ++skipped_in_row;
  const at::Tensor rows = parts.communicator->all_gather_rows(at::tensor(record.totals.rows, at::kLong));
  record.rows.assign(rows.data_ptr<int64_t>(), rows.data_ptr<int64_t>() + rows.numel());
  record.first_item = parts.index.item(record.rows.front());
}

void Trainer::Impl::end_if_nothing_is_finite(int64_t at_step) const {
  if (skipped_in_row < parts.config.max_nonfinite_steps) return;
  fail(ErrorKind::kData, "step ", at_step, ": loss or gradient not finite in ", skipped_in_row,
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
    if (is_first() && score.protocol == parts.best_by) keep_if_best(parts.checkpoints_folder, step, score);
    monitor->log(step, score);
  }
}

void Trainer::Impl::save() {
  settle();
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
