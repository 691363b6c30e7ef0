#include "uir/plan/cost_model.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "uir/pixels/pixels.h"

namespace uir {
namespace {

constexpr double kFloat = 4, kDouble = 8;

// As head/center_shard.cc has them: classes of a tile, and blocks of tiles with sums of their own.
constexpr int64_t kCpuTile = 512, kMostBlocks = 32;
constexpr double kDeviceTileLogits = 1 << 25, kSmallestDeviceTile = 4096;
// On devices the head's element-wise work runs in LibTorch's operators: their results that are alive at
// once, and the products.
constexpr double kDeviceTileBytes = 5 * kFloat;

// Of a process that has loaded LibTorch and trained a tiny network, measured (docs/distributed.md).
constexpr double kProgramBytes = 0.19e9;
// The heap that large tensors come from on CPUs (base/allocator.h) has gaps: measured 0.13 of the
// activations for MobileFaceNet, 0.5 for IResNet-18.
constexpr double kUnusedHeap = 0.3;
// Assumed, not measured: context, libraries and workspaces of a CUDA device; and of NCCL.
constexpr double kDeviceRuntimeBytes = 1.2e9, kDeviceRanksBytes = 0.5e9;

double as_double(int64_t value) { return static_cast<double>(value); }

double bytes_of(const TrainingPlan& plan, const LayerFacts& layer) {
  return layer.always_float32 ? kFloat : as_double(plan.activation_bytes);
}

double kept_bytes(const TrainingPlan& plan, const LayerFacts& layer) {
  // The CPU's batch norm, PReLU and sum are one operation that keeps its input; on devices the PReLU keeps
  // its own.
  if (layer.kind == OpKind::kPReLU && !plan.cuda) return 0;
  return as_double(layer.kept_elements) * bytes_of(plan, layer);
}

// What is alive at most in a backward pass: what the layers up to here keep, and of this layer the
// gradients of its output, its input and a shortcut beside it, and that of its weights before it is added
// to the others.
double backward_peak(const TrainingPlan& plan) {
  const double rows = as_double(plan.rows());
  double kept = 0, peak = 0;
  for (const LayerFacts& layer : plan.network.layers) {
    kept += kept_bytes(plan, layer);
    const double in = as_double(layer.in_elements()), out = as_double(layer.out_elements());
    const double gradients = (in + out + std::max(in, out)) * bytes_of(plan, layer);
    peak = std::max(peak, rows * (kept + gradients) + as_double(layer.parameters()) * kFloat);
  }
  return peak;
}

// 16-bit copies of the convolutions' weights.
double cast_weight_bytes(const TrainingPlan& plan) {
  double bytes = 0;
  for (const LayerFacts& layer : plan.network.layers) {
    const bool cast = layer.kind == OpKind::kConv && bytes_of(plan, layer) < kFloat;
    if (cast) bytes += as_double(layer.parameters()) * bytes_of(plan, layer);
  }
  return bytes;
}

// Rows of all ranks that walk over so many classes of a rank.
struct Walk {
  double rows, classes;
};
double sampled_classes(const TrainingPlan& plan) {
  return std::round(plan.sample_rate * as_double(plan.classes_of_rank()));
}
std::vector<Walk> walks(const TrainingPlan& plan) {
  const double labeled = as_double(plan.micro_rows(plan.labeled) * plan.ranks);
  const double unlabeled = as_double(plan.micro_rows(plan.unlabeled) * plan.ranks);
  const double classes = as_double(plan.classes_of_rank());
  if (plan.sample_rate == 1) return {{labeled + unlabeled, classes}};
  return {{labeled, sampled_classes(plan)}, {unlabeled, classes}};
}

double tile_size(const TrainingPlan& plan, const Walk& walk) {
  const double chosen =
      plan.cuda ? std::max(kSmallestDeviceTile, std::floor(kDeviceTileLogits / std::max(1.0, walk.rows)))
                : kCpuTile;
  return std::clamp<double>(plan.class_tile > 0 ? as_double(plan.class_tile) : chosen, 1,
                            std::max(1.0, walk.classes));
}

double walk_workspace(const TrainingPlan& plan, const Walk& walk) {
  const double D = as_double(plan.network.embedding_size), tile = tile_size(plan, walk);
  const double gradient = walk.rows * D * kFloat;
  if (plan.cuda) return 2 * gradient + walk.rows * tile * kDeviceTileBytes;
  const double blocks = std::clamp<double>(std::ceil(walk.classes / tile), 1, kMostBlocks);
  const double threads = std::min(blocks, as_double(plan.threads));
  const double gathered = plan.sample_rate < 1 ? 2 * tile * D * kFloat : 0;
  return (blocks + 1) * gradient + threads * (walk.rows * tile * kFloat + gathered);
}

double head_workspace(const TrainingPlan& plan) {
  const double rows = as_double(plan.rows() * plan.ranks), D = as_double(plan.network.embedding_size);
  double largest = 0;
  for (const Walk& walk : walks(plan)) largest = std::max(largest, walk_workspace(plan, walk));
  const double normalised_and_gradient = 2 * rows * D * kFloat;
  const double inverse_norms = as_double(plan.classes_of_rank()) * kFloat;
  return normalised_and_gradient + inverse_norms + largest;
}

// Priorities of all classes, numbers of the sampled and of the touched ones; on the CPU in any case.
double sampling_bytes(const TrainingPlan& plan) {
  if (plan.sample_rate == 1) return 0;
  return as_double(plan.classes_of_rank()) * 16 +
         (2 * sampled_classes(plan) + as_double(plan.touched_classes())) * 8;
}

double gradient_exchange_bytes(const TrainingPlan& plan) {
  if (plan.ranks == 1) return 0;
  const double P = as_double(plan.network.parameters());
  // Otherwise the gradients lie in the buckets.
  const double bucket = plan.graphs ? std::min(plan.bucket_mb * 1048576, P * kFloat) : 0;
  if (!plan.bf16_gradients) return bucket;
  const double narrow = plan.graphs ? bucket / 2 : 2 * P;  // one bucket after the other
  return bucket + (plan.cuda ? narrow : narrow * as_double(plan.ranks + 1));
}

// Both are gone when the other begins, but of a graph's pool the head gets nothing.
Amount work_space(const TrainingPlan& plan, double backward) {
  const double head = head_workspace(plan);
  if (plan.cuda && plan.graphs) return {"work space of the head and of backward", head + backward};
  return {"work space of the head or of backward", std::max(head, backward)};
}

std::vector<Amount> without_zeros(std::vector<Amount> amounts) {
  std::erase_if(amounts, [](const Amount& amount) { return amount.value == 0; });
  return amounts;
}

double center_bytes(const TrainingPlan& plan) {
  return as_double(plan.classes_of_rank()) * as_double(plan.network.embedding_size) * kFloat;
}

double device_runtime_bytes(const TrainingPlan& plan) {
  if (!plan.cuda) return 0;
  return kDeviceRuntimeBytes + (plan.ranks > 1 ? kDeviceRanksBytes : 0);
}

std::vector<Amount> device_memory(const TrainingPlan& plan) {
  const double P = as_double(plan.network.parameters()), states = as_double(plan.optimizer_states);
  const double statistics = 2 * as_double(plan.network.statistics());  // and what a skipped step goes back to
  const double centers = center_bytes(plan);
  const double activations = as_double(plan.rows()) * kept_bytes_of_image(plan);
  const double backward = backward_peak(plan) - activations;
  const double unused_heap = plan.cuda ? 0 : kUnusedHeap * activations;
  return without_zeros(
      {{"weights and running statistics", (P + statistics) * kFloat + cast_weight_bytes(plan)},
       {"gradients", P * kFloat},
       {"optimizer state", P * states * kFloat},
       {"gradients on their way", gradient_exchange_bytes(plan)},
       {"activations kept for backward", activations},
       {"heap between them (fitted)", unused_heap},
       {"class centers", centers},
       {"their gradient", centers},
       {"their optimizer state", centers * states},
       work_space(plan, backward),
       {"CUDA context and libraries (assumed)", device_runtime_bytes(plan)}});
}

std::vector<Amount> host_memory(const TrainingPlan& plan) {
  const double P = as_double(plan.network.parameters()), states = as_double(plan.optimizer_states);
  const double centers = center_bytes(plan), rows = as_double(plan.rows());
  const double index_rows = 8 * as_double(plan.data.labeled_images + plan.data.unlabeled_images);
  const double saved = (P + as_double(plan.network.statistics())) * kFloat + centers;
  const double copy = plan.copies_checkpoints ? saved + (P * kFloat + centers) * states : 0;
  return without_zeros(
      {{"batches ahead of the network", as_double(plan.prefetch + 2) * rows * as_double(kImageBytes)},
       {"rows of the index", index_rows},
       {"drawing of classes", sampling_bytes(plan)},
       {"copy of a checkpoint that is written", copy},
       {"program and libraries", kProgramBytes}});
}

}  // namespace

double class_center_bytes(const TrainingPlan& plan) {
  return center_bytes(plan) * (2 + as_double(plan.optimizer_states));
}

int64_t TrainingPlan::micro_rows(int64_t global_rows) const {
  const int64_t parts = ranks * accumulation;
  return (global_rows + parts - 1) / parts;
}

int64_t TrainingPlan::touched_classes() const {
  if (sample_rate == 1 || (unlabeled > 0 && trains_on_uir)) return classes_of_rank();
  return static_cast<int64_t>(sampled_classes(*this));
}

TrainingPlan training_plan(const Experiment& experiment, const DataCounts& data, int64_t ranks) {
  const TrainConfig& train = experiment.train;
  TrainingPlan plan;
  plan.network = network_facts(experiment.model);
  plan.data = data;
  plan.ranks = ranks;
  plan.cuda = train.device != "cpu";
  plan.labeled = train.batch.labeled;
  plan.unlabeled = train.batch.unlabeled;
  plan.accumulation = train.batch.accumulation;
  plan.epochs = train.epochs;
  const bool wide =
      train.precision == Precision::kFloat32 || (train.precision == Precision::kAuto && !plan.cuda);
  plan.activation_bytes = wide ? 4 : 2;
  plan.optimizer_states = std::holds_alternative<AdamWConfig>(train.optimizer.rule) ? 2 : 1;
  plan.sample_rate = experiment.head.sample_rate;
  plan.class_tile = experiment.head.class_tile;
  if (train.threads > 0) plan.threads = train.threads;
  plan.released = experiment.uir.reduction == UirReduction::kReleased;
  plan.trains_on_uir = experiment.uir.weight > 0;
  plan.synchronized_norms = train.ranks.batch_norm == BatchNormStatistics::kSynchronized;
  plan.bf16_gradients = train.ranks.compression == GradientCompression::kBFloat16;
  plan.bucket_mb = train.ranks.bucket_mb;
  plan.graphs = train.cuda_graphs;
  plan.prefetch = experiment.data.loader.prefetch;
  plan.copies_checkpoints = train.checkpoint.background;
  return plan;
}

double total(const std::vector<Amount>& amounts) {
  double sum = 0;
  for (const Amount& amount : amounts) sum += amount.value;
  return sum;
}

double kept_bytes_of_image(const TrainingPlan& plan) {
  double bytes = 0;
  for (const LayerFacts& layer : plan.network.layers) bytes += kept_bytes(plan, layer);
  return bytes;
}

MemoryEstimate memory_of_rank(const TrainingPlan& plan) {
  MemoryEstimate estimate{device_memory(plan), host_memory(plan)};
  if (plan.cuda) return estimate;
  estimate.device.insert(estimate.device.end(), estimate.host.begin(), estimate.host.end());
  estimate.host.clear();
  return estimate;
}

namespace {

// What a rank sends when `bytes` are summed, or gathered from all ranks to that size, around a ring.
double summed(const TrainingPlan& plan, double bytes) {
  return 2 * bytes * as_double(plan.ranks - 1) / as_double(plan.ranks);
}
double gathered(const TrainingPlan& plan, double bytes) { return summed(plan, bytes) / 2; }

double gradient_bytes_sent(const TrainingPlan& plan) {
  const double P = as_double(plan.network.parameters());
  if (!plan.bf16_gradients) return summed(plan, P * kFloat);
  // Gloo cannot add bf16: every rank sends to every other one. NCCL can.
  return plan.cuda ? summed(plan, 2 * P) : as_double(plan.ranks - 1) * 2 * P;
}

// Two gathers of 2 C + 1 and 2 C float64 numbers per batch norm.
double synchronized_norm_bytes_sent(const TrainingPlan& plan) {
  double numbers = 0;
  for (const LayerFacts& layer : plan.network.layers) {
    if (layer.kind == OpKind::kBatchNorm) numbers += as_double(4 * layer.in_channels + 1);
  }
  return as_double(plan.ranks - 1) * numbers * kDouble;
}

int64_t num_batch_norms(const TrainingPlan& plan) {
  return std::count_if(plan.network.layers.begin(), plan.network.layers.end(),
                       [](const LayerFacts& layer) { return layer.kind == OpKind::kBatchNorm; });
}

double head_bytes_sent(const TrainingPlan& plan) {
  const double rows = as_double(plan.rows() * plan.ranks), D = as_double(plan.network.embedding_size);
  const double labels = as_double(plan.micro_rows(plan.labeled) * plan.ranks) * 8;
  return gathered(plan, 2 * rows * D * kFloat + labels);  // embeddings, and their gradients on the way back
}

// {Σ exp z, Σ cos, cos of the target}, then two counts or sums.
double row_sum_bytes_sent(const TrainingPlan& plan) {
  return summed(plan, as_double(plan.rows() * plan.ranks) * 5 * kDouble);
}

double number_of_collectives(const TrainingPlan& plan) {
  const double per_micro_batch = 5 + (plan.synchronized_norms ? 2 * as_double(num_batch_norms(plan)) : 0);
  return as_double(plan.accumulation) * per_micro_batch + 3;  // statistics, gradient norm, stop request
}

double number_of_buckets(const TrainingPlan& plan) {
  return std::ceil(as_double(plan.network.parameters()) * kFloat / (plan.bucket_mb * 1048576));
}

}  // namespace

std::vector<Amount> bytes_sent_by_rank(const TrainingPlan& plan) {
  if (plan.ranks == 1) return {};
  const double passes = as_double(plan.accumulation);
  const double statistics = summed(plan, as_double(plan.network.statistics()) * kDouble);
  return without_zeros(
      {{plan.bf16_gradients ? "gradients of the backbone, as bf16" : "gradients of the backbone",
        gradient_bytes_sent(plan)},
       {"embeddings and their gradients", passes * head_bytes_sent(plan)},
       {"sums over the classes", passes * row_sum_bytes_sent(plan)},
       {plan.synchronized_norms ? "statistics of batch norms, synchronized"
                                : "running statistics of batch norms",
        plan.synchronized_norms ? passes * synchronized_norm_bytes_sent(plan) : statistics}});
}

std::vector<Amount> operations_of_rank(const TrainingPlan& plan) {
  const double passes = as_double(plan.accumulation), D = as_double(plan.network.embedding_size);
  const double n = as_double(plan.classes_of_rank());
  const double labeled = as_double(plan.micro_rows(plan.labeled) * plan.ranks);
  const double unlabeled = as_double(plan.micro_rows(plan.unlabeled) * plan.ranks);
  const double labeled_classes = plan.sample_rate == 1 ? n : sampled_classes(plan);
  // Forward 2, backward 2 to compute the products again and 4; a second forward walk for `released`.
  const double of_unlabeled = (plan.trains_on_uir ? 8 : 2) + (plan.released ? 2 : 0);
  const double backbone = 3 * 2 * as_double(plan.network.multiply_adds()) * as_double(plan.rows());
  return without_zeros({{"backbone, forward and backward", passes * backbone},
                        {"head, labeled rows", passes * 8 * labeled * labeled_classes * D},
                        {"head, unlabeled rows", passes * of_unlabeled * unlabeled * n * D}});
}

StepTime step_time(const TrainingPlan& plan, const Rates& rates) {
  const std::vector<Amount> operations = operations_of_rank(plan);
  StepTime time;
  time.backbone = operations.front().value / rates.backbone;
  time.head = (total(operations) - operations.front().value) / rates.head;
  // Zeroed, squared, and read with weight and states, which are written back.
  const double passes = as_double(5 + 2 * plan.optimizer_states);
  const double updated =
      as_double(plan.network.parameters()) + as_double(plan.touched_classes() * plan.network.embedding_size);
  time.optimizer = passes * updated * kFloat / rates.memory;
  if (plan.ranks == 1) return time;
  const double gradients =
      gradient_bytes_sent(plan) / rates.bandwidth + number_of_buckets(plan) * rates.latency;
  // In the last backward pass.
  const double hidden = plan.graphs ? 0 : time.backbone * 2 / 3 / as_double(plan.accumulation);
  const double rest = total(bytes_sent_by_rank(plan)) - gradient_bytes_sent(plan);
  time.communication = std::max(0.0, gradients - hidden) + rest / rates.bandwidth +
                       number_of_collectives(plan) * rates.latency;
  return time;
}

}  // namespace uir
