// uir-eval CONFIG: runs the protocols of an experiment on its embeddings and writes the report.
// uir-eval compare FILE FILE --list LIST: which of several networks is better, by features of anyone.
// uir-eval calibrate CONFIG: finds the thresholds of a network for wanted rates of mistakes.
#include <iostream>

#include "app.h"
#include "uir/eval/compare_features.h"
#include "uir/eval/validate_intervals.h"
#include "uir/pipeline/run_calibrate.h"
#include "uir/pipeline/run_eval.h"
#include "uir/report/report.h"

namespace {

void add_calibrate(uir::App& app, uir::CalibrationRequest& request) {
  CLI::App& cli = app.add_command(
      "calibrate", "Finds the thresholds of a network, from embeddings of known people and of strangers.",
      std::function<void(const uir::Experiment&)>([&request](const uir::Experiment& experiment) {
        if constexpr (uir::kWorker) std::cout << uir::run_calibrate(experiment, request);
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

struct Comparison {
  uir::FeatureComparison features;
  std::string out;
};

void compare(const Comparison& asked) {
  if (!asked.out.empty()) uir::create_folders(asked.out);  // before work that would be lost
  const uir::Report report = uir::compare_features(asked.features);
  if (!asked.out.empty()) uir::write_report(asked.out, report);
  std::cout << uir::to_text(report);
}

void add_compare(uir::App& app, Comparison& asked) {
  CLI::App& cli = app.add_command(
      "compare", "Compares networks by their features of the same faces, without an experiment.",
      std::function<void()>([&asked] { compare(asked); }));
  uir::FeatureComparison& features = asked.features;
  cli.add_option(
         "features", features.features,
         "Files of features, one a network: float32 .npy or challenge .bin, row i is line i of --list")
      ->required();
  cli.add_option(
         "--list", features.list,
         "What the rows show, a line each: 'image<TAB>person', 'image person', 'person/image' or 'person'")
      ->required();
  cli.add_option("--names", features.names, "Names of the networks, in their order, separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false);
  CLI::Option* pairs =
      cli.add_option("--pairs", features.pairs, "Measure these pairs of the list's images instead of all");
  uir::add_choice<uir::PairsFormat>(cli, "--format", features.format, "Format of --pairs; default: lfw")
      ->needs(pairs);
  cli.add_option("--far", features.far, "False-acceptance rates, separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str()
      ->check(uir::number_between(1e-12, 1.));
  cli.add_option("--threads", features.threads, "Threads; 0: one per processor")
      ->check(CLI::NonNegativeNumber);
  cli.add_option("--out", asked.out, "Folder of the report: report.html, report.txt, report.json");
}

}  // namespace

int main(int argc, char** argv) {
  uir::App app("uir-eval", uir::Ranks::kSeveral);
  app.add_action(
      "--validate-intervals",
      "Simulate faces whose truth is known, count how often the intervals of reports hold it, and stop",
      [] { std::cout << uir::validate_intervals(1000); });
  Comparison comparison;
  add_compare(app, comparison);
  uir::CalibrationRequest calibration;
  add_calibrate(app, calibration);
  return app.run(argc, argv, [](const uir::Experiment& experiment) {
    if constexpr (uir::kWorker) std::cout << uir::run_eval(experiment);
  });
}
