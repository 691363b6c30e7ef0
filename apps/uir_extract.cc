// uir-extract CONFIG: embeds the test sets and held-out images of an experiment.
#include "app.h"
#include "uir/base/blas.h"
#include "uir/pipeline/run_extract.h"

int main(int argc, char** argv) {
  uir::choose_blas_kernels(argv);
  uir::App app("uir-extract",
               "Dumps embeddings of images and their mirror images; continues where it was interrupted.",
               uir::Ranks::kSeveral);
  uir::SubmissionRequest submission;
  std::string format;
  app.cli()
      .add_option("--format", format,
                  "Also write the features as a challenge wants them: lfr, trillionpairs, megaface")
      ->check(CLI::IsMember({"lfr", "trillionpairs", "megaface"}));
  app.cli().add_option("--out", submission.out,
                       "Where to (megaface: a folder); default: submissions/ in the run folder");
  return app.run(argc, argv, [&](const uir::Experiment& experiment) {
    submission.format = uir::enum_from_name<uir::SubmissionFormat>(format);
    uir::run_extract(experiment, submission);
  });
}
