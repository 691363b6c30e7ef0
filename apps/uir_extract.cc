// uir-extract CONFIG: embeds the test sets and held-out images of an experiment.
#include <string_view>

#include "app.h"
#include "uir/base/blas.h"
#include "uir/pipeline/engine_trial.h"
#include "uir/pipeline/run_extract.h"

int main(int argc, char** argv) {
  uir::choose_blas_kernels(argv);
  if constexpr (uir::kWorker) {
    if (argc == 3 && std::string_view(argv[1]) == uir::kEngineTrial) return uir::engine_trial_main(argv[2]);
  }
  uir::App app("uir-extract", uir::Ranks::kSeveral);
  uir::SubmissionRequest submission;
  std::string formats;
  for (const auto& [format, name] : uir::EnumNames<uir::SubmissionFormat>::value)
    formats += (formats.empty() ? "" : ", ") + std::string(name);
  uir::add_choice<uir::SubmissionFormat>(app.cli(), "--format", submission.format,
                                         "Also write the features as a challenge wants them: " + formats);
  app.cli().add_option("--out", submission.out,
                       "Where to (megaface: a folder); default: submissions/ in the run folder");
  return app.run(argc, argv, [&](const uir::Experiment& experiment) {
    if constexpr (uir::kWorker) uir::run_extract(experiment, submission);
  });
}
