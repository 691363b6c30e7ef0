// uir-train CONFIG: trains a backbone and its class centers with the labeled and the UIR loss.
#include <iostream>

#include "app.h"
#include "uir/base/blas.h"
#include "uir/pipeline/run_estimate.h"
#include "uir/pipeline/run_train.h"

int main(int argc, char** argv) {
  uir::choose_blas_kernels(argv);
  uir::App app("uir-train", uir::Ranks::kSeveral);
  uir::TrainRun run;
  uir::EstimateRun estimate;
  app.cli().add_flag(
      "--resume", run.resume,
      "Continue from the latest checkpoint of the run folder (from the start if there is none)");
  app.cli()
      .add_option("--stop-after", run.stop_after_step, "Save and stop (exit code 75) after this step")
      ->check(CLI::NonNegativeNumber);
  app.cli()
      .add_flag("--report", run.report_only,
                "Only write training.html from what the run folder holds; also of a run that goes on")
      ->excludes("--nproc-per-node")
      ->excludes("--resume")
      ->excludes("--stop-after");
  CLI::Option* const machines =
      app.cli().add_option("--estimate", estimate.cluster,
                           "Print memory, communication and arithmetic of such ranks, and stop: 80GB, 8x80GB "
                           "(ranks x memory of each) or "
                           "2x8x80GB (machines x ranks x memory)");
  machines->excludes("--nproc-per-node")
      ->excludes("--resume")
      ->excludes("--stop-after")
      ->excludes("--report");
  app.cli()
      .add_option("--estimate-classes", estimate.classes,
                  "Identities to estimate for, instead of the index's")
      ->check(CLI::PositiveNumber)
      ->needs(machines);
  app.cli()
      .add_option("--estimate-images", estimate.images,
                  "Labeled images to estimate for, instead of the index's")
      ->check(CLI::PositiveNumber)
      ->needs(machines);
  return app.run(argc, argv, [&](const uir::Experiment& experiment) {
    if constexpr (uir::kWorker) {
      if (*machines) {
        std::cout << uir::run_estimate(experiment, estimate);
      } else {
        uir::run_train(experiment, run);
      }
    }
  });
}
