// The tables of docs/distributed.md, "Planning", out of the cost model itself, as Markdown: the published
// runs of the usual head beside what the model says of them, and what this library would take up to 64 ranks
// and 100 million identities.
//
//   plan_table [backbone=60] [head=7.5] [memory=1500] [bandwidth=20] [latency=30]
//
// What a rank is assumed to sustain: T operations/s in the backbone and in the head, GB/s of its memory, GB/s
// that it sends, µs of a collective.
#include <cstdio>
#include <cstdlib>

#include "support/logits_head.h"

namespace {

using namespace uir;

TrainingPlan resnet50(int64_t classes, int64_t ranks, double sample_rate) {
  TrainingPlan plan;
  plan.network = network_facts({IResNetConfig{.depth = 50}});
  plan.data = {classes, 10 * classes, 0};
  plan.ranks = ranks;
  plan.cuda = true;
  plan.activation_bytes = 2;
  plan.labeled = 128 * ranks;
  plan.unlabeled = 0;
  plan.sample_rate = sample_rate;
  return plan;
}

double percent_off(double model, double published) { return 100 * (model / published - 1); }

void print_published() {
  const PublishedRun& first = kPublishedRuns[0];
  const double backbone = 1024 / first.images_per_s - logits_head_seconds(resnet50(first.classes, 8, 1));
  std::printf(
      "| identities | sample rate | published: GB, ms a step | model: GB, ms a step | off | this library, GB "
      "|\n"
      "|---|---|---|---|---|---|\n");
  for (const PublishedRun& run : kPublishedRuns) {
    const TrainingPlan plan = resnet50(run.classes, 8, run.sample_rate);
    const double bytes = run.megabytes * 1048576, seconds = 1024 / run.images_per_s;
    const double model_bytes = logits_run_bytes(plan), model_seconds = backbone + logits_head_seconds(plan);
    std::printf("| %.3g M | %g | %.1f, %.0f | %.1f, %.0f | %+.0f %%, %+.0f %% | %.1f |\n",
                static_cast<double>(run.classes) / 1e6, run.sample_rate, bytes / 1e9, seconds * 1e3,
                model_bytes / 1e9, model_seconds * 1e3, percent_off(model_bytes, bytes),
                percent_off(model_seconds, seconds), total(memory_of_rank(plan).device) / 1e9);
  }
}

void print_planned(const Rates& rates) {
  std::printf(
      "| ranks | identities | sample rate | usual head, GB | device memory, GB | host memory, GB | sent, MB "
      "| T operations | s a step | images/s |\n|---|---|---|---|---|---|---|---|---|---|\n");
  for (const int64_t ranks : {8, 64}) {
    for (const int64_t millions : {1, 10, 100}) {
      for (const double rate : {1.0, 0.1}) {
        TrainingPlan plan = resnet50(millions * 1'000'000, ranks, rate);
        plan.labeled = 96 * ranks;
        plan.unlabeled = 32 * ranks;
        const MemoryEstimate memory = memory_of_rank(plan);
        const double seconds = step_time(plan, rates).total();
        std::printf("| %ld | %ld M | %g | %.0f | %.1f | %.1f | %.0f | %.1f | %.2f | %.0f |\n",
                    static_cast<long>(ranks), static_cast<long>(millions), rate,
                    logits_head_bytes(plan) / 1e9, total(memory.device) / 1e9, total(memory.host) / 1e9,
                    total(bytes_sent_by_rank(plan)) / 1e6, total(operations_of_rank(plan)) / 1e12, seconds,
                    static_cast<double>(128 * ranks) / seconds);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  double values[] = {60, 7.5, 1500, 20, 30};
  for (int i = 1; i < argc && i <= 5; ++i) values[i - 1] = std::atof(argv[i]);
  print_published();
  std::printf("\n");
  print_planned({values[0] * 1e12, values[1] * 1e12, values[2] * 1e9, values[3] * 1e9, values[4] * 1e-6});
}
