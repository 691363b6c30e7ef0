// uir-eval CONFIG: runs the protocols of an experiment on its embeddings and writes the report.
// uir-eval calibrate CONFIG: finds the thresholds of a network for wanted rates of mistakes.
#include <iostream>

#include "app.h"
#include "uir/pipeline/run_calibrate.h"
#include "uir/pipeline/run_eval.h"

namespace {

void add_calibrate(uir::App& app, uir::CalibrationRequest& request) {
  CLI::App& cli = app.add_command(
      "calibrate", "Finds the thresholds of a network, from embeddings of known people and of strangers.",
      std::function<void(const uir::Experiment&)>([&request](const uir::Experiment& experiment) {
        std::cout << uir::run_calibrate(experiment, request);
      }));
  const auto several = [](CLI::Option* option) { return option->allow_extra_args(false); };
  cli.add_option("--model", request.model, "One of eval.models; default: the only one, or this run");
  cli.add_option("--known", request.known, "Set of labeled people, two images or more of some")->required();
  several(cli.add_option("--strangers", request.strangers, "Set of people who are none of them (repeatable)"))
      ->required();
  cli.add_option("--gallery", request.gallery,
                 "Set of the gallery's people, by the labels of --known, such as class_centers; default: the "
                 "known people, each image against the others");
  several(cli.add_option("--false-matches", request.rates.false_matches,
                         "Wanted share of pairs of different people that pass (repeatable)"))
      ->capture_default_str()
      ->check(uir::number_between(1e-12, 0.5));
  several(cli.add_option("--false-alarms", request.rates.false_alarms,
                         "Wanted number of 1,000 strangers who are named (repeatable)"))
      ->capture_default_str()
      ->check(uir::number_between(1e-6, 900.));
  several(cli.add_option("--gallery-size", request.rates.sizes,
                         "Also for galleries of so many of these people (repeatable); default: 10, 100 … and "
                         "all"))
      ->check(CLI::PositiveNumber);
  cli.add_option("--out", request.out, "Folder of what is found; default: calibration in the run folder");
}

}  // namespace

int main(int argc, char** argv) {
  uir::App app("uir-eval",
               "Evaluates embeddings and class centers: verification, open set, UIR's measurements.",
               uir::Ranks::kSeveral);
  uir::CalibrationRequest calibration;
  add_calibrate(app, calibration);
  return app.run(argc, argv,
                 [](const uir::Experiment& experiment) { std::cout << uir::run_eval(experiment); });
}
