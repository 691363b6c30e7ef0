// uir-train CONFIG: trains a backbone and its class centers with the labeled and the UIR loss.
#include "app.h"
#include "uir/base/blas.h"
#include "uir/pipeline/run_train.h"

int main(int argc, char** argv) {
  uir::choose_blas_kernels(argv);
  uir::App app("uir-train", "Trains with labeled faces (margin softmax) and unlabeled faces (UIR loss).",
               uir::Ranks::kSeveral);
  uir::TrainRun run;
  app.cli().add_flag(
      "--resume", run.resume,
      "Continue from the latest checkpoint of the run folder (from the start if there is none)");
  app.cli()
      .add_option("--stop-after", run.stop_after_step, "Save and stop (exit code 75) after this step")
      ->check(CLI::NonNegativeNumber);
  app.cli().add_flag("--report", run.report_only,
                     "Only write training.html from what the run folder holds; also of a run that goes on");
  return app.run(argc, argv, [&](const uir::Experiment& experiment) { uir::run_train(experiment, run); });
}
