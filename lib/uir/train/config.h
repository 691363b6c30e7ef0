// Config of a training run. Free of LibTorch.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "uir/config/visitor.h"

namespace uir {

enum class Precision { kAuto, kFloat32, kBFloat16, kFloat16 };
template <>
struct EnumNames<Precision> {
  static constexpr std::array<EnumName<Precision>, 4> value{{{Precision::kAuto, "auto"},
                                                             {Precision::kFloat32, "float32"},
                                                             {Precision::kBFloat16, "bf16"},
                                                             {Precision::kFloat16, "float16"}}};
};

struct BatchConfig {
  int64_t labeled = 96;
  int64_t unlabeled = 32;
  int64_t accumulation = 1;
};
template <class Visitor>
void describe(Visitor& v, BatchConfig& c) {
  v.field("labeled", c.labeled, "Labeled rows of an optimizer step, over all ranks and accumulation steps.",
          AtLeast{1});
  v.field("unlabeled", c.unlabeled, "Unlabeled rows of an optimizer step; 0: no UIR loss.", AtLeast{0});
  v.field("accumulation", c.accumulation, "Forward passes per optimizer step; divides both counts.",
          AtLeast{1});
}

struct SgdConfig {
  static constexpr std::string_view kType = "sgd";
  double momentum = 0.9;
};
template <class Visitor>
void describe(Visitor& v, SgdConfig& c) {
  v.field("momentum", c.momentum, "Momentum.", Between{0, 0.9999});
}

struct AdamWConfig {
  static constexpr std::string_view kType = "adamw";
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};
template <class Visitor>
void describe(Visitor& v, AdamWConfig& c) {
  v.field("beta1", c.beta1, "Decay of the gradient's mean.", Between{0, 0.99999});
  v.field("beta2", c.beta2, "Decay of the gradient's square.", Between{0, 0.99999});
  v.field("epsilon", c.epsilon, "Added to the denominator.", GreaterThan{0});
}

// Of what clip_norm limits the norm.
enum class ClipScope { kAll, kBackbone };
template <>
struct EnumNames<ClipScope> {
  static constexpr std::array<EnumName<ClipScope>, 2> value{
      {{ClipScope::kAll, "all"}, {ClipScope::kBackbone, "backbone"}}};
};

struct OptimizerConfig {
  std::variant<SgdConfig, AdamWConfig> rule;
  double weight_decay = 5e-4;
  bool decay_norm_and_prelu = true;
  double clip_norm = 0;
  ClipScope clip_scope = ClipScope::kAll;
};
template <class Visitor>
void describe(Visitor& v, OptimizerConfig& c) {
  v.variant("type", c.rule, "The update rule.");
  v.field("weight_decay", c.weight_decay, "L2 penalty (sgd) or decoupled decay (adamw).", AtLeast{0});
  v.field("decay_norm_and_prelu", c.decay_norm_and_prelu,
          "Whether the decay also applies to batch norms, PReLU slopes and biases (arcface_torch: yes).");
  v.field("clip_norm", c.clip_norm, "Largest norm of the gradient; 0: no clipping.", AtLeast{0});
  v.field(
      "clip_scope", c.clip_scope,
      "Of which gradient: that of network and class centers together (all), or of the network alone, while "
      "the centers' stays as it is (backbone; arcface_torch).");
}

struct LinearDecay {
  static constexpr std::string_view kType = "linear";
};
template <class Visitor>
void describe(Visitor&, LinearDecay&) {}

struct CosineDecay {
  static constexpr std::string_view kType = "cosine";
};
template <class Visitor>
void describe(Visitor&, CosineDecay&) {}

struct StepDecay {
  static constexpr std::string_view kType = "step";
  std::vector<double> epochs;
  double factor = 0.1;
  std::vector<int64_t> steps;
};
template <class Visitor>
void describe(Visitor& v, StepDecay& c) {
  v.field("epochs", c.epochs, "Where the rate drops [epochs].", GreaterThan{0});
  v.field("steps", c.steps, "Where else it drops [optimizer steps].", AtLeast{1});
  v.field("factor", c.factor, "What it is multiplied by there.", Between{0, 1});
}

struct ScheduleConfig {
  std::variant<LinearDecay, CosineDecay, StepDecay> decay;
  double base_lr = 0.02;
  double warmup_epochs = 0;
};
template <class Visitor>
void describe(Visitor& v, ScheduleConfig& c) {
  v.variant("type", c.decay, "How the learning rate falls; linear and cosine end at 0 with the last step.");
  v.field("base_lr", c.base_lr, "Peak learning rate.", GreaterThan{0});
  v.field("warmup_epochs", c.warmup_epochs, "Linear warm-up [epochs].", AtLeast{0});
}

struct CheckpointConfig {
  int64_t every_steps = 1000;
  bool background = true;
  int64_t keep_last = 2;
  std::string best_by;
};
template <class Visitor>
void describe(Visitor& v, CheckpointConfig& c) {
  v.field("every_steps", c.every_steps, "Steps between checkpoints; the last step is always saved.",
          AtLeast{1});
  v.field(
      "background", c.background,
      "Write while training goes on, from a copy in CPU memory; false: without the copy, training waits.");
  v.field("keep_last", c.keep_last, "Checkpoints kept besides the best one.", AtLeast{2});
  v.field("best_by", c.best_by,
          "Name of the verification that picks the best checkpoint; empty: the first on held-out images, and "
          "where there is none, no checkpoint is marked as the best.");
}

struct VerificationConfig {
  int64_t every_steps = 0;
  std::vector<std::string> protocols;
};
template <class Visitor>
void describe(Visitor& v, VerificationConfig& c) {
  v.field("every_steps", c.every_steps,
          "Steps between verifications during training; 0: only after the last step.", AtLeast{0});
  v.field(
      "protocols", c.protocols,
      "Names of protocols of the eval section to run: of type verification, of which the accuracy counts, or "
      "all_pairs, of which TAR at the first FAR does.");
}

struct InitConfig {
  ConfigPath from;
  bool centers = true;
};
template <class Visitor>
void describe(Visitor& v, InitConfig& c) {
  v.field("from", c.from,
          "What to start from: a checkpoint folder, a .safetensors, .pt, .pth or .onnx file, or a folder of "
          "InsightFace's checkpoint_gpu_*.pt; empty: random weights.");
  v.field("centers", c.centers,
          "Also take the class centers, if the weights bring them and they fit the identities "
          "(docs/checkpoints.md).");
}

enum class BatchNormStatistics { kLocal, kSynchronized };
template <>
struct EnumNames<BatchNormStatistics> {
  static constexpr std::array<EnumName<BatchNormStatistics>, 2> value{
      {{BatchNormStatistics::kLocal, "local"}, {BatchNormStatistics::kSynchronized, "synchronized"}}};
};

enum class GradientCompression { kNone, kBFloat16 };
template <>
struct EnumNames<GradientCompression> {
  static constexpr std::array<EnumName<GradientCompression>, 2> value{
      {{GradientCompression::kNone, "none"}, {GradientCompression::kBFloat16, "bf16"}}};
};

// How tensors on devices travel between ranks; those of CPUs always do over Gloo.
enum class DeviceTransport { kAuto, kNccl, kGloo };
template <>
struct EnumNames<DeviceTransport> {
  static constexpr std::array<EnumName<DeviceTransport>, 3> value{
      {{DeviceTransport::kAuto, "auto"}, {DeviceTransport::kNccl, "nccl"}, {DeviceTransport::kGloo, "gloo"}}};
};

struct RanksConfig {
  DeviceTransport transport = DeviceTransport::kAuto;
  BatchNormStatistics batch_norm = BatchNormStatistics::kLocal;
  GradientCompression compression = GradientCompression::kNone;
  double bucket_mb = 25;
  double timeout_s = 300;
};
template <class Visitor>
void describe(Visitor& v, RanksConfig& c) {
  v.field("transport", c.transport,
          "How CUDA ranks talk: nccl, gloo, or auto: NCCL if this build has it and every rank has a device "
          "of its own.");
  v.field("batch_norm", c.batch_norm,
          "Statistics of batch norms in training: each rank's own rows (local), or those of all ranks.");
  v.field("compression", c.compression, "How gradients of the backbone travel: none, or as bf16.",
          MayDifferOnResume{});
  v.field("bucket_mb", c.bucket_mb, "Gradients that are summed at a time while backward goes on [MiB].",
          Between{0.001, 1024}, MayDifferOnResume{});
  v.field("timeout_s", c.timeout_s, "How long ranks wait for one that does not answer [s].",
          Between{1, 86400}, MayDifferOnResume{});
}

struct TrainConfig {
  int64_t epochs = 20;
  uint64_t seed = 1;
  BatchConfig batch;
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  Precision precision = Precision::kAuto;
  std::string device = "auto";
  int64_t threads = 0;
  int64_t max_nonfinite_steps = 10;
  int64_t log_every = 20;
  bool tensorboard = true;
  bool cuda_graphs = false;
  VerificationConfig verification;
  CheckpointConfig checkpoint;
  InitConfig init;
  RanksConfig ranks;
};
template <class Visitor>
void describe(Visitor& v, TrainConfig& c) {
  v.field("epochs", c.epochs, "Passes over the labeled images.", AtLeast{1});
  v.field("seed", c.seed, "Seed of weights, order and augmentation.");
  v.section("batch", c.batch, "Rows of one step.");
  v.section("optimizer", c.optimizer, "How weights follow gradients.");
  v.section("schedule", c.schedule, "Learning rate over time.");
  v.field("precision", c.precision,
          "Arithmetic of the backbone; the head is float32. auto: the fastest that is safe here.");
  v.field("device", c.device, "auto, cpu, cuda or cuda:N.", MayDifferOnResume{});
  v.field("threads", c.threads, "Threads of tensor arithmetic; 0: one per processor.", Between{0, 1024},
          MayDifferOnResume{});
  v.field("max_nonfinite_steps", c.max_nonfinite_steps,
          "Skipped steps in a row (loss or gradient not finite) that end the run.", AtLeast{1},
          MayDifferOnResume{});
  v.field("log_every", c.log_every, "Steps between console lines; the JSONL log has every step.", AtLeast{1},
          MayDifferOnResume{});
  v.field("tensorboard", c.tensorboard,
          "Write the console lines' numbers and the verifications for TensorBoard (tensorboard/ in the run "
          "folder).",
          MayDifferOnResume{});
  v.field("cuda_graphs", c.cuda_graphs,
          "Record the network's forward and backward pass once as CUDA graphs and launch these; not tried on "
          "a device yet. On CPUs the steps are rehearsed (docs/distributed.md).",
          MayDifferOnResume{});
  v.section("verification", c.verification, "Measured while training.", MayDifferOnResume{});
  v.section("checkpoint", c.checkpoint, "What is saved when.", MayDifferOnResume{});
  v.section("init", c.init, "Where the weights start.", MayDifferOnResume{});
  v.section("ranks", c.ranks, "Training by several processes (torchrun, mpirun, srun, --nproc-per-node).");
}

}  // namespace uir
