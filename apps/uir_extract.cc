// uir-extract CONFIG: embeds the test sets and held-out images of an experiment.
#include "app.h"
#include "uir/pipeline/run_extract.h"

int main(int argc, char** argv) {
  uir::App app("uir-extract",
               "Dumps embeddings of images and their mirror images; continues where it was interrupted.");
  return app.run(argc, argv, [](const uir::Experiment& experiment) { uir::run_extract(experiment); });
}
