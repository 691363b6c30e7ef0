#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>

#include "support/host_reads.h"
#include "support/ranks.h"
#include "support/trainer_run.h"
//
#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "uir/base/log.h"

using namespace uir;

using Run = TrainerRun;

TEST_CASE("a run makes its steps, logs each and lowers the loss") {
  Run run(tiny_index());
  run.config.epochs = 40;
  Trainer trainer = run.trainer();
  REQUIRE(trainer.total_steps() == 120);  // 30 images, 10 a batch
  trainer.run();
  const auto log = run.log();
  REQUIRE(log.size() == 120);
  CHECK(log[0]["step"] == 1);
  CHECK(log[119]["labeled"].get<double>() < 0.7 * log[0]["labeled"].get<double>());
  CHECK(log[119]["accuracy"].get<double>() > log[0]["accuracy"].get<double>());
  CHECK(log[0]["total"].get<double>() ==
        Approx(log[0]["labeled"].get<double>() + 0.5 * log[0]["uir"].get<double>()));
}

TEST_CASE("no step reads a tensor's value on the host but the numbers that are logged") {
  const HostReads reads;
  at::ones({}).item<float>();
  REQUIRE(reads.count() == 1);
  for (const double sample_rate : {1.0, 0.5}) {
    for (const double clip_norm : {0.0, 1.0}) {
      CAPTURE(sample_rate, clip_norm);
      Run run(tiny_index());
      run.sample_rate = sample_rate;
      run.config.optimizer.clip_norm = clip_norm;
      run.config.batch.accumulation = 2;
      run.config.checkpoint.every_steps = 1000;
      Trainer trainer = run.trainer();
      const int64_t before = reads.count();
      trainer.run();
      REQUIRE(run.log().size() > 5);
      // With class sampling and several micro-batches, the union of their samples, on the CPU.
      const int64_t unions = sample_rate < 1 ? static_cast<int64_t>(run.log().size()) : 0;
      CHECK(reads.count() - before == unions);
    }
  }
}

TEST_CASE("two micro-batches equal one batch where no batch statistics are involved") {
  Run whole(tiny_index()), halves(tiny_index());
  halves.config.batch.accumulation = 2;
  whole.trainer().run();
  halves.trainer().run();
  CHECK(at::allclose(whole.backbone->weight, halves.backbone->weight, 1e-4, 1e-6));
  CHECK(at::allclose(whole.head->centers(), halves.head->centers(), 1e-4, 1e-6));
  CHECK(halves.backbone->forwards == 2 * whole.backbone->forwards);
}

TEST_CASE("without weight the UIR loss is measured but not trained on") {
  Run none(tiny_index()), silent(tiny_index()), late(tiny_index());
  none.config.batch.unlabeled = 0;
  silent.uir.weight = 0;
  late.uir.start_epoch = 100;
  for (Run* run : {&none, &silent, &late}) run->trainer().run();
  CHECK(at::allclose(none.backbone->weight, silent.backbone->weight, 1e-4, 1e-6));
  CHECK(silent.backbone->weight.equal(late.backbone->weight));
  CHECK(silent.log()[0]["uir"].get<double>() > 0);
}

TEST_CASE("a step that is not finite changes nothing and is logged with its rows") {
  Run run(tiny_index());
  run.backbone->poisoned = {3};
  run.stop_after_step = 3;
  CHECK(kind_of([&] { run.trainer().run(); }) == ErrorKind::kStopped);
  const at::Tensor weight = run.backbone->weight.detach().clone(),
                   centers = run.head->centers().detach().clone();
  const float calls = run.backbone->calls.item<float>();

  run.stop_after_step = 4;
  Trainer trainer = run.trainer();
  trainer.resume(latest_checkpoint(run.folder / "run/checkpoints").value());
  CHECK(kind_of([&] { trainer.run(); }) == ErrorKind::kStopped);
  CHECK(run.backbone->weight.equal(weight));
  CHECK(run.head->centers().equal(centers));
  CHECK(run.backbone->calls.item<float>() == calls);
  const auto log = run.log();
  REQUIRE(log.size() == 4);
  CHECK(log[3]["skipped"] == 1);
  CHECK(log[3]["rows"].size() == 14);
  CHECK_FALSE(log[3].contains("lr"));
}

TEST_CASE("steps that are not finite end the run after so many in a row") {
  Run run(tiny_index());
  run.config.max_nonfinite_steps = 3;
  run.backbone->poisoned = {1, 3, 5, 6, 7};
  const auto error = error_of([&] { run.trainer().run(); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  CHECK(std::string(error->what()).find("step 8: ") == 0);
  CHECK(run.log().size() == 8);
}

// Continues a stopped run to its end in a new trainer.
static void finish(Run& run) {
  run.backbone->weight.detach().zero_();  // everything must come from the checkpoint
  run.stop_after_step = 0;
  Trainer trainer = run.trainer();
  trainer.resume(latest_checkpoint(run.folder / "run/checkpoints").value());
  trainer.run();
}

TEST_CASE("a stopped run continues to the same weights, bit for bit, from any step") {
  Run whole(tiny_index());
  whole.trainer().run();
  for (const int64_t stop : {1, 5, 11}) {
    Run first(tiny_index());
    first.stop_after_step = stop;
    CHECK(kind_of([&] { first.trainer().run(); }) == ErrorKind::kStopped);
    finish(first);
    CHECK(first.backbone->weight.equal(whole.backbone->weight));
    CHECK(first.head->centers().equal(whole.head->centers()));
    CHECK(first.log().size() == 12);
  }
}

namespace {

// Weights, class centers, running statistic and everything logged but times.
void check_equal(const Run& run, const Run& expected) {
  CHECK(run.backbone->weight.equal(expected.backbone->weight));
  CHECK(run.backbone->calls.equal(expected.backbone->calls));
  CHECK(run.head->centers().equal(expected.head->centers()));
  std::vector<Json> lines = run.log(), wanted = expected.log();
  REQUIRE(lines.size() == wanted.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    for (const char* key : {"time", "seconds", "images_per_s", "waited_s"}) {
      lines[i].erase(key);
      wanted[i].erase(key);
    }
    CHECK(lines[i] == wanted[i]);
  }
}

}  // namespace

TEST_CASE("with graphs, rehearsed, training is the same bit for bit") {
  Run with(tiny_index()), without(tiny_index());
  with.config.cuda_graphs = true;
  const int64_t accumulation = GENERATE(1, 2);
  std::vector<at::Tensor> seen[2];
  for (Run* run : {&with, &without}) {
    run->config.batch.accumulation = accumulation;
    run->config.optimizer.weight_decay = 0.01;
    run->config.verification = {3, {"dev"}};
    run->backbone->poisoned = {2 * accumulation, 8 * accumulation};
    run->verify = [&seen, run, &with](Backbone& network) {
      const at::NoGradGuard no_grad;
      network.eval();
      seen[run == &with].push_back(network.forward(at::ones({3, 3, 112, 112})).clone());
      network.train();
      return std::vector<VerificationScore>{{"dev", "accuracy", 1, Json::object()}};
    };
    run->trainer().run();
  }
  check_equal(with, without);
  const std::vector<Json> log = with.log();
  CHECK(std::ranges::count_if(log, [](const Json& line) { return line.contains("rows"); }) == 2);
  REQUIRE(seen[1].size() == 4);
  for (size_t i = 0; i < 4; ++i) CHECK(seen[1][i].equal(seen[0][i]));
}

TEST_CASE("with graphs, too, no step reads a tensor's value on the host") {
  const HostReads reads;
  Run run(tiny_index());
  run.config.cuda_graphs = true;
  run.config.checkpoint.every_steps = 1000;
  Trainer trainer = run.trainer();
  const int64_t before = reads.count();
  trainer.run();
  CHECK(reads.count() == before);
}

TEST_CASE("with graphs, too, a stopped run continues bit for bit, also without them") {
  Run whole(tiny_index());
  whole.config.batch.accumulation = 2;
  whole.trainer().run();
  for (const bool again : {true, false}) {
    Run first(tiny_index());
    first.config.batch.accumulation = 2;
    first.config.cuda_graphs = true;
    first.stop_after_step = 5;
    CHECK(kind_of([&] { first.trainer().run(); }) == ErrorKind::kStopped);
    first.config.cuda_graphs = again;
    finish(first);
    CHECK(first.backbone->weight.equal(whole.backbone->weight));
    CHECK(first.head->centers().equal(whole.head->centers()));
  }
}

TEST_CASE("with class sampling, too, a stopped run continues bit for bit") {
  const auto prepare = [](Run& run) {
    run.sample_rate = 0.4;
    run.uir.weight = 0;  // or else all rows of the centers are touched
    run.config.optimizer.weight_decay = 0.01;
    run.config.batch = {4, 2, 2};
  };
  Run whole(tiny_index()), first(tiny_index()), all(tiny_index());
  for (Run* run : {&whole, &first, &all}) prepare(*run);
  all.sample_rate = 1;
  whole.trainer().run();
  all.trainer().run();
  CHECK_FALSE(whole.head->centers().equal(all.head->centers()));
  first.stop_after_step = 7;
  CHECK(kind_of([&] { first.trainer().run(); }) == ErrorKind::kStopped);
  finish(first);
  CHECK(first.backbone->weight.equal(whole.backbone->weight));
  CHECK(first.head->centers().equal(whole.head->centers()));
}

TEST_CASE("the best checkpoint by verification outlives the others") {
  Run run(tiny_index());
  run.config.verification = {2, {"dev", "lfw"}};
  run.config.checkpoint.best_by = "lfw";
  run.config.checkpoint.keep_last = 2;
  std::vector<double> accuracies{0.5, 0.9, 0.6, 0.7, 0.8, 0.85};
  size_t call = 0;
  run.verify = [&](Backbone&) {
    return std::vector<VerificationScore>{{"dev", "accuracy", 1, Json::object()},
                                          {"lfw", "accuracy", accuracies.at(call++), Json::object()}};
  };
  run.trainer().run();
  CHECK(call == 6);
  const auto best = best_checkpoint(run.folder / "run/checkpoints");
  REQUIRE(best);
  CHECK(best->name == "step-0000000004");
  CHECK(best->value == 0.9);
  CHECK(fs::exists(run.folder / "run/checkpoints/step-0000000004/manifest.json"));
  CHECK(latest_checkpoint(run.folder / "run/checkpoints")->step() == 12);
}

TEST_CASE("values that are not defined, or of another number, pick no best checkpoint") {
  Run run(tiny_index());
  run.config.verification = {2, {"held_out"}};
  run.config.checkpoint.best_by = "held_out";
  const fs::path root = run.folder / "run/checkpoints";
  create_folders(root / "step-0000000000");
  size_t call = 0;
  run.verify = [&](Backbone&) {
    // By the fourth verification all values are of another rate, and lower; the fifth is not defined.
    const bool later = ++call > 3;
    const double value = call == 5 ? std::nan("") : later ? 0.3 : 0.9;
    return std::vector<VerificationScore>{
        {"held_out", later ? "tar_at_far_1e-4" : "tar_at_far_0.01", value, Json::object()}};
  };
  SECTION("the mark moves to the first value of the new number") {
    run.trainer().run();
    const auto best = best_checkpoint(root);
    REQUIRE(best);
    CHECK(best->metric == "held_out (tar_at_far_1e-4)");
    CHECK(best->value == 0.3);
    CHECK(best->name == "step-0000000008");
  }
  SECTION("what another protocol marked is forgotten, though no value may follow") {
    mark_best(root, {"step-0000000000", "lfw", 0.99});
    run.verify = [](Backbone&) {
      return std::vector<VerificationScore>{{"held_out", "tar_at_far_0.01", std::nan(""), Json::object()}};
    };
    run.trainer().run();
    CHECK_FALSE(best_checkpoint(root));
  }
}

TEST_CASE(
    "without a protocol that picks it no checkpoint is the best, and every one tells how it was picked") {
  Run run(tiny_index());
  run.config.verification = {2, {"lfw"}};
  run.selection_warning = "chosen on a test set";
  run.verify = [&](Backbone&) {
    return std::vector<VerificationScore>{{"lfw", "accuracy", 0.5, Json::object()}};
  };
  run.trainer().run();
  const fs::path root = run.folder / "run/checkpoints";
  CHECK_FALSE(best_checkpoint(root));
  const SafetensorsFile model(latest_checkpoint(root)->folder() / "model.safetensors");
  CHECK(model.metadata().at(kSelectionWarning) == "chosen on a test set");
}

namespace {

// What a run on several ranks left behind: the network of every rank, all class centers, the log.
struct Outcome {
  std::vector<at::Tensor> weights;
  at::Tensor centers;
  std::vector<Json> log;
  std::vector<ErrorKind> errors;  // of the ranks that failed
};

// Runs the trainer on so many ranks; `adjust` changes a rank's run before its trainer is made.
Outcome run_on_ranks(int64_t size, const fs::path& folder, const std::function<void(Run&)>& adjust = {}) {
  const Index index = tiny_index();
  Outcome outcome;
  outcome.weights.resize(static_cast<size_t>(size));
  std::vector<at::Tensor> shards(static_cast<size_t>(size));
  std::vector<std::optional<ErrorKind>> errors(static_cast<size_t>(size));
  run_ranks(size, [&](std::shared_ptr<const Communicator> ranks) {
    static std::mutex one_at_a_time;  // the networks' initial weights come from a common generator
    std::unique_ptr<Run> run;
    {
      std::lock_guard lock(one_at_a_time);
      run = std::make_unique<Run>(index, ranks, folder);
    }
    run->config.batch = {12, 12, 1};
    if (adjust) adjust(*run);
    Trainer trainer = run->trainer();
    if (const auto checkpoint = latest_checkpoint(folder / "run/checkpoints")) trainer.resume(*checkpoint);
    ranks->barrier();
    errors[static_cast<size_t>(ranks->rank())] = kind_of([&] { trainer.run(); });
    outcome.weights[static_cast<size_t>(ranks->rank())] = run->backbone->weight.detach().clone();
    shards[static_cast<size_t>(ranks->rank())] = run->head->centers().detach().clone();
    if (ranks->rank() == 0) outcome.log = run->log();
    ranks->barrier();
  });
  outcome.centers = at::cat(shards);
  for (const auto& error : errors) {
    if (error) outcome.errors.push_back(*error);
  }
  return outcome;
}

}  // namespace

TEST_CASE("any number of ranks trains to the same weights, losses and class centers") {
  const int64_t size = GENERATE(2, 3, 4);
  const TempFolder alone, shared;
  const Outcome one = run_on_ranks(1, alone.path()), many = run_on_ranks(size, shared.path());
  REQUIRE(many.log.size() == one.log.size());
  for (size_t i = 0; i < one.log.size(); ++i) {
    for (const char* number : {"labeled", "uir", "total", "accuracy", "gradient_norm"}) {
      CHECK(many.log[i][number].get<double>() == Approx(one.log[i][number].get<double>()).epsilon(1e-4));
    }
  }
  for (const at::Tensor& weight : many.weights) {
    CHECK(weight.equal(many.weights[0]));  // replicas never drift apart
    CHECK(at::allclose(weight, one.weights[0], 1e-4, 1e-6));
  }
  CHECK(at::allclose(many.centers, one.centers, 1e-4, 1e-6));
}

TEST_CASE("with graphs two ranks sum their gradients after the passes, to the same bits") {
  const TempFolder plain, recorded;
  const auto configure = [](bool graphs) {
    return [=](Run& run) {
      run.config.batch.accumulation = 2;
      run.config.cuda_graphs = graphs;
    };
  };
  const Outcome without = run_on_ranks(2, plain.path(), configure(false)),
                with = run_on_ranks(2, recorded.path(), configure(true));
  for (size_t rank = 0; rank < 2; ++rank) CHECK(with.weights[rank].equal(without.weights[rank]));
  CHECK(with.centers.equal(without.centers));
}

TEST_CASE("clipping, too, does not depend on how many ranks hold the class centers") {
  const ClipScope scope = GENERATE(ClipScope::kAll, ClipScope::kBackbone);
  const auto clip = [&](double norm) {
    return [=](Run& run) {
      run.config.optimizer.clip_norm = norm;
      run.config.optimizer.clip_scope = scope;
    };
  };
  const TempFolder alone, shared, free;
  const Outcome one = run_on_ranks(1, alone.path(), clip(0.05)),
                many = run_on_ranks(3, shared.path(), clip(0.05)),
                none = run_on_ranks(1, free.path(), clip(0));
  for (const at::Tensor& weight : many.weights) CHECK(at::allclose(weight, one.weights[0], 1e-4, 1e-6));
  CHECK(at::allclose(many.centers, one.centers, 1e-4, 1e-6));
  CHECK_FALSE(at::allclose(none.weights[0], one.weights[0], 1e-3, 1e-5));
}

TEST_CASE("a run on several ranks resumes bit for bit, and goes on with any other number of ranks") {
  const TempFolder whole_folder, folder;
  const Outcome whole = run_on_ranks(3, whole_folder.path());
  const auto stop_at = [](int64_t step) { return [step](Run& run) { run.stop_after_step = step; }; };
  CHECK((run_on_ranks(3, folder.path(), stop_at(3)).errors == std::vector(3, ErrorKind::kStopped)));
  const Outcome resumed = run_on_ranks(3, folder.path());
  CHECK(resumed.weights[0].equal(whole.weights[0]));
  CHECK(resumed.centers.equal(whole.centers));
  CHECK(resumed.log.size() == whole.log.size());

  const TempFolder changing;
  const std::vector<std::pair<int64_t, int64_t>> legs{{1, 2}, {2, 3}, {4, 5}, {1, 6}, {3, 7}, {2, 0}};
  Outcome last;
  for (const auto& [size, stop] : legs) last = run_on_ranks(size, changing.path(), stop_at(stop));
  CHECK(at::allclose(last.weights[0], whole.weights[0], 1e-4, 1e-6));
  CHECK(at::allclose(last.centers, whole.centers, 1e-4, 1e-6));
}

TEST_CASE("what is not finite on one rank is skipped by all in the same step, with the rows of all") {
  const TempFolder folder, until;
  const auto poison = [](int64_t stop) {
    return [stop](Run& run) {
      if (run.communicator->rank() == 1) run.backbone->poisoned = {2};
      run.stop_after_step = stop;
    };
  };
  const Outcome before = run_on_ranks(2, until.path(), poison(2)),
                after = run_on_ranks(2, folder.path(), poison(3));
  REQUIRE(after.log.size() == 3);
  CHECK(after.log[2]["skipped"] == 1);
  CHECK(after.log[2]["rows"].size() == 24);
  for (const at::Tensor& weight : after.weights) CHECK(weight.equal(before.weights[0]));
  CHECK(after.centers.equal(before.centers));
}

TEST_CASE("a stop request to one rank stops all of them in the same step") {
  const TempFolder folder;
  const Outcome outcome = run_on_ranks(3, folder.path(), [](Run& run) {
    auto polls = std::make_shared<int>(0);
    run.stop_requested = [&run, polls] { return run.communicator->rank() == 2 && ++*polls == 4; };
  });
  CHECK((outcome.errors == std::vector(3, ErrorKind::kStopped)));
  CHECK(outcome.log.size() == 4);
  CHECK(latest_checkpoint(folder / "run/checkpoints")->step() == 4);
}

TEST_CASE(
    "a checkpoint that one rank cannot write ends all of them in the same step, the one before is intact") {
  const TempFolder folder;
  static std::atomic<bool> full;
  full = false;
  set_failpoint_handler([](std::string_view name) {
    if (full && name == "checkpoint.before_manifest") fail(ErrorKind::kIo, "no space");
  });
  const Outcome outcome = run_on_ranks(2, folder.path(), [](Run& run) {
    run.config.checkpoint.every_steps = 1;
    auto polls = std::make_shared<int>(0);
    run.stop_requested = [&run, polls] {
      if (run.communicator->rank() == 0 && ++*polls == 2) full = true;
      return false;
    };
  });
  set_failpoint_handler(nullptr);
  CHECK((outcome.errors == std::vector(2, ErrorKind::kIo)));
  CHECK(outcome.log.size() < 8);
  const auto checkpoint = latest_checkpoint(folder / "run/checkpoints");
  REQUIRE(checkpoint);
  CHECK(checkpoint->step() < static_cast<int64_t>(outcome.log.size()));
}
