// uir-eval CONFIG: runs the protocols of an experiment on its embeddings and writes the report.
#include <iostream>

#include "app.h"
#include "uir/pipeline/run_eval.h"

int main(int argc, char** argv) {
  uir::App app("uir-eval",
               "Evaluates embeddings and class centers: verification, open set, UIR's measurements.",
               uir::Ranks::kSeveral);
  return app.run(argc, argv,
                 [](const uir::Experiment& experiment) { std::cout << uir::run_eval(experiment); });
}
