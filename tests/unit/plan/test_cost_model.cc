// The cost model against sums by hand, against what it claims to describe, and against published measurements
// of the usual head on eight V100. tests/unit/model measures the activations; tools/bench/measure_ranks.py
// whole runs.
#include <cmath>

#include "support/catch.h"
#include "support/logits_head.h"
#include "uir/plan/cost_model.h"

using namespace uir;

namespace {

double amount(const std::vector<Amount>& amounts, const std::string& what) {
  for (const Amount& amount : amounts) {
    if (amount.what == what) return amount.value;
  }
  return 0;
}

TrainingPlan resnet50(int64_t classes, int64_t ranks, double sample_rate = 1) {
  TrainingPlan plan;
  plan.network = network_facts({IResNetConfig{.depth = 50}});
  plan.data = {classes, 10 * classes, 0};
  plan.ranks = ranks;
  plan.cuda = true;
  plan.labeled = 128 * ranks;
  plan.unlabeled = 0;
  plan.activation_bytes = 2;
  plan.sample_rate = sample_rate;
  return plan;
}

// A network of one convolution and its batch norm and PReLU, to add up by hand.
TrainingPlan one_layer() {
  TrainingPlan plan;
  LayerFacts conv, norm, prelu;
  conv.kind = OpKind::kConv;
  conv.in_channels = 2, conv.in_size = 10, conv.out_channels = 4, conv.out_size = 5;
  conv.kernel = 3, conv.kept_elements = 200;  // 72 parameters, 1800 multiply-adds
  norm.kind = OpKind::kBatchNorm;
  norm.in_channels = norm.out_channels = 4, norm.in_size = norm.out_size = 5;
  norm.kept_elements = 100;  // 8 parameters
  prelu = norm;
  prelu.kind = OpKind::kPReLU;  // 4 parameters
  plan.network = {{conv, norm, prelu}, 16};
  plan.data = {1001, 5000, 70};
  plan.ranks = 4;
  plan.labeled = 24;
  plan.unlabeled = 16;
  plan.accumulation = 2;
  return plan;
}

}  // namespace

TEST_CASE("memory of a rank, added up by hand") {
  TrainingPlan plan = one_layer();
  CHECK(plan.rows() == 5);  // of 40: 4 ranks, 2 passes
  CHECK(plan.classes_of_rank() == 251);
  const MemoryEstimate memory = memory_of_rank(plan);
  CHECK(memory.host.empty());
  CHECK(amount(memory.device, "weights and running statistics") == (84 + 2 * 8) * 4);
  CHECK(amount(memory.device, "gradients") == 84 * 4);
  CHECK(amount(memory.device, "optimizer state") == 84 * 4);
  CHECK(amount(memory.device, "activations kept for backward") == 5 * 300 * 4);
  CHECK(amount(memory.device, "heap between them (fitted)") == Approx(0.3 * 5 * 300 * 4));
  CHECK(amount(memory.device, "class centers") == 251 * 16 * 4);
  CHECK(amount(memory.device, "their gradient") == 251 * 16 * 4);
  // 20 rows of all ranks: normalised, gradient, that of the one block and their sum; 251 inverse norms; one
  // tile.
  CHECK(amount(memory.device, "work space of the head or of backward") ==
        4 * 20 * 16 * 4 + 251 * 4 + 20 * 251 * 4);
  CHECK(amount(memory.device, "batches ahead of the network") == 6 * 5 * 37632);
  CHECK(amount(memory.device, "rows of the index") == 5070 * 8);

  plan.copies_checkpoints = true;
  CHECK(amount(memory_of_rank(plan).device, "copy of a checkpoint that is written") ==
        (2 * 84 + 8 + 2 * 251 * 16) * 4);

  plan.optimizer_states = 2;
  plan.activation_bytes = 2;
  plan.bf16_gradients = true;
  const MemoryEstimate other = memory_of_rank(plan);
  CHECK(amount(other.device, "optimizer state") == 2 * 84 * 4);
  CHECK(amount(other.device, "their optimizer state") == 2 * 251 * 16 * 4);
  CHECK(amount(other.device, "activations kept for backward") == 5 * 300 * 2);
  CHECK(amount(other.device, "weights and running statistics") == (84 + 2 * 8) * 4 + 72 * 2);
  CHECK(amount(other.device, "gradients on their way") == 5 * 84 * 2);

  plan.cuda = true;  // where PReLUs keep their input, and the loader's memory is another
  const MemoryEstimate device = memory_of_rank(plan);
  CHECK(amount(device.device, "activations kept for backward") == 5 * 400 * 2);
  CHECK(amount(device.host, "batches ahead of the network") == 6 * 5 * 37632);
}

TEST_CASE("graphs keep backward's memory from the head, and hide no communication") {
  TrainingPlan plan = one_layer();
  plan.cuda = true;
  const auto of = [](const TrainingPlan& p, const char* what) {
    return amount(memory_of_rank(p).device, what);
  };
  const Rates rates{.backbone = 1e6, .head = 1e6, .memory = 1e12, .bandwidth = 1e8, .latency = 0};
  const double larger = of(plan, "work space of the head or of backward");
  const double communication = step_time(plan, rates).communication;
  plan.graphs = true;
  const double both = of(plan, "work space of the head and of backward");
  CHECK(both > larger);
  CHECK(both < 2 * larger);
  CHECK(of(plan, "gradients on their way") == 84 * 4);  // less than a bucket
  CHECK(step_time(plan, rates).communication - communication == Approx(2 * 3 / 4.0 * 84 * 4 / 1e8));
  plan.bf16_gradients = true;
  CHECK(of(plan, "gradients on their way") == 84 * 4 + 84 * 2);
  plan.bucket_mb = 100.0 / 1048576;
  CHECK(of(plan, "gradients on their way") == 100 + 50);
  plan.cuda = false;  // where nothing has a pool
  CHECK(of(plan, "gradients on their way") == 100 + 5 * 50);
  CHECK(of(plan, "work space of the head or of backward") > 0);
}

TEST_CASE("class sampling takes memory for the drawing and saves none of the centers") {
  TrainingPlan plan = one_layer();
  plan.sample_rate = 0.1;
  const MemoryEstimate memory = memory_of_rank(plan);
  CHECK(amount(memory.device, "their gradient") == 251 * 16 * 4);
  CHECK(amount(memory.device, "drawing of classes") == 251 * 16 + (2 * 25 + 251) * 8);
  CHECK(plan.touched_classes() == 251);  // by the unlabeled rows
  plan.unlabeled = 0;
  CHECK(plan.touched_classes() == 25);
}

TEST_CASE("bytes that a rank sends, added up by hand") {
  TrainingPlan plan = one_layer();
  const std::vector<Amount> sent = bytes_sent_by_rank(plan);
  CHECK(amount(sent, "gradients of the backbone") == 2 * 3 / 4.0 * 84 * 4);
  // Twice a step: 20 rows of 16 numbers gathered and scattered back, 12 labels gathered; 20 rows of 3 + 2
  // sums.
  CHECK(amount(sent, "embeddings and their gradients") == 2 * (3 / 4.0) * (2 * 20 * 16 * 4 + 12 * 8));
  CHECK(amount(sent, "sums over the classes") == 2 * 2 * (3 / 4.0) * 20 * 5 * 8);
  CHECK(amount(sent, "running statistics of batch norms") == 2 * 3 / 4.0 * 8 * 8);
  plan.synchronized_norms = true;
  CHECK(amount(bytes_sent_by_rank(plan), "statistics of batch norms, synchronized") == 2 * 3 * 17 * 8);
  plan.bf16_gradients = true;  // without a sum in bf16, every rank sends to every other
  CHECK(amount(bytes_sent_by_rank(plan), "gradients of the backbone, as bf16") == 3 * 84 * 2);
  plan.ranks = 1;
  CHECK(bytes_sent_by_rank(plan).empty());
}

TEST_CASE("operations: three passes through the network, 8 and 10 B n D in the head") {
  TrainingPlan plan = one_layer();
  const auto head = [&](const char* rows) { return amount(operations_of_rank(plan), rows); };
  CHECK(amount(operations_of_rank(plan), "backbone, forward and backward") == 2 * 6.0 * 1800 * 5);
  CHECK(head("head, labeled rows") == 2 * 8.0 * 12 * 251 * 16);
  CHECK(head("head, unlabeled rows") == 2 * 10.0 * 8 * 251 * 16);
  plan.released = false;
  CHECK(head("head, unlabeled rows") == 2 * 8.0 * 8 * 251 * 16);
  plan.trains_on_uir = false;
  CHECK(head("head, unlabeled rows") == 2 * 2.0 * 8 * 251 * 16);
  plan.sample_rate = 0.1;
  CHECK(head("head, labeled rows") == 2 * 8.0 * 12 * 25 * 16);
}

TEST_CASE("more ranks never take more memory or time for the same classes and batch") {
  const Rates rates{.backbone = 1e13, .head = 1e13, .memory = 1e12, .bandwidth = 1e11, .latency = 0};
  double memory = 1e300, time = 1e300;
  for (const int64_t ranks : {1, 2, 4, 8, 16, 32, 64}) {
    TrainingPlan plan = resnet50(10'000'000, ranks);
    plan.labeled = 1024;
    const double bytes = total(memory_of_rank(plan).device) - (ranks == 1 ? 0 : 0.5e9);  // NCCL's share
    CHECK(bytes < memory);
    CHECK(step_time(plan, rates).total() < time);
    memory = bytes;
    time = step_time(plan, rates).total();
  }
}

// InsightFace's speed benchmark: eight V100, ResNet-50, 128 rows each.

TEST_CASE("the published runs with the usual head: memory within 10 %, its growth with sampling within 5 %") {
  for (const PublishedRun& run : kPublishedRuns) {
    INFO(run.classes << " classes, sample rate " << run.sample_rate);
    const double bytes = logits_run_bytes(resnet50(run.classes, 8, run.sample_rate));
    CHECK(bytes == Approx(run.megabytes * 1048576).epsilon(0.10));
  }
  const PublishedRun &first = kPublishedRuns[3], &last = kPublishedRuns.back();
  const double growth = logits_head_bytes(resnet50(last.classes, 8, last.sample_rate)) -
                        logits_head_bytes(resnet50(first.classes, 8, first.sample_rate));
  CHECK(growth == Approx((last.megabytes - first.megabytes) * 1048576).epsilon(0.05));
}

TEST_CASE("the published runs with the usual head: time within 13 %") {
  // One rate from the smallest run; the head's own is in logits_head.h.
  const double seconds_at_first = 1024 / kPublishedRuns[0].images_per_s;
  const double backbone = seconds_at_first - logits_head_seconds(resnet50(kPublishedRuns[0].classes, 8));
  for (const PublishedRun& run : kPublishedRuns) {
    INFO(run.classes << " classes, sample rate " << run.sample_rate);
    const TrainingPlan plan = resnet50(run.classes, 8, run.sample_rate);
    CHECK(backbone + logits_head_seconds(plan) == Approx(1024 / run.images_per_s).epsilon(0.13));
  }
}

TEST_CASE("this library's head needs a seventh of the usual head's memory where that is published") {
  const TrainingPlan plan = resnet50(5'500'000, 8);
  const MemoryEstimate memory = memory_of_rank(plan);
  const double ours = amount(memory.device, "class centers") + amount(memory.device, "their gradient") +
                      amount(memory.device, "their optimizer state");
  CHECK(logits_head_bytes(plan) / ours == Approx(6.8).margin(0.1));
}

TEST_CASE("64 ranks and 100 million identities, as docs/distributed.md has them") {
  TrainingPlan plan = resnet50(100'000'000, 64);
  plan.labeled = 96 * 64;
  plan.unlabeled = 32 * 64;
  const MemoryEstimate memory = memory_of_rank(plan);
  CHECK(plan.classes_of_rank() == 1'562'500);
  CHECK(amount(memory.device, "class centers") == 1'562'500 * 512 * 4.0);
  CHECK(total(memory.device) / 1e9 == Approx(17.2).margin(0.05));
  CHECK(total(memory.host) / 1e9 == Approx(8.2).margin(0.05));
  CHECK(total(bytes_sent_by_rank(plan)) / 1e6 == Approx(378).margin(0.5));
  CHECK(total(operations_of_rank(plan)) / 1e12 == Approx(60.6).margin(0.05));
  CHECK(logits_head_bytes(plan) / 1e9 == Approx(457).margin(0.5));
  const Rates rates{.backbone = 60e12, .head = 7.5e12, .memory = 1.5e12, .bandwidth = 20e9, .latency = 30e-6};
  CHECK(step_time(plan, rates).total() == Approx(7.53).margin(0.01));
  plan.sample_rate = 0.1;
  CHECK(step_time(plan, rates).total() == Approx(2.81).margin(0.01));
}
