#include "identify_films.h"

#include <iostream>
#include <string_view>

#include "console.h"
#include "programs.h"
#include "uir/base/blas.h"
#include "uir/experiment/option_names.h"
#include "uir/pipeline/engine_trial.h"
#include "worker.h"

namespace uir {
namespace {

void add_identify_flags(CLI::App& cli, IdentifyRequest& request) {
  cli.add_option("film", request.inputs, "Films, or folders of photos");
  cli.add_option("--gallery", request.gallery,
                 "Folder of the people to find, a folder of one to twenty photos each: NAME/*.jpg");
  cli.add_option("--model", request.model, "Run of uir-train, or an ONNX file");
  cli.add_option("--detector", request.detector, "YuNet model (ONNX), 2022mar or 2023mar");
  cli.add_option(
      "--out", request.out,
      "Folder of the timeline, of several inputs the folder of theirs; default: beside each, FILM.timeline");
  cli.add_option("--calibration", request.calibration, "Thresholds from this file of uir-identify calibrate");
  cli.add_option("--false-names", request.false_names,
                 "Of the calibration: how many strangers an hour of film may be given a name")
      ->capture_default_str()
      ->check(number_between(1e-3, 1e4));
  cli.add_option("--known", request.known, "Least score of a name; default: a careful one")
      ->check(number_between(-1., 1.));
  cli.add_option("--unsure", request.unsure, "Below this score somebody is a stranger")
      ->check(number_between(-1., 1.));
  cli.add_option("--min-score", request.min_score, "Least score of a face")
      ->capture_default_str()
      ->check(number_between(0., 1.));
  cli.add_option("--smallest-face", request.smallest_face,
                 "Least shorter side of a face that is told apart [pixels]")
      ->capture_default_str()
      ->check(number_between(0., 1e9));
  cli.add_option("--rate", request.rate,
                 "Frames looked at per second, more around the ends of tracks; 0: every frame")
      ->capture_default_str()
      ->check(number_between(0., 1e9));
  cli.add_option("--detect-side", request.detect_side,
                 "Detect on a copy whose longer side has at most so many pixels")
      ->capture_default_str()
      ->check(CLI::Range(160, 16384));
  cli.add_option("--threads", request.threads, "Threads; 0: one per processor")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  cli.add_flag("--resume", request.resume, "Continue an interrupted analysis");
  cli.add_option("--set", request.overrides, "An option of the model: a.b=value (repeatable)")
      ->allow_extra_args(false);  // one value each, so that a film may follow
}

void add_find_flags(CLI::App& cli, FindRequest& find) {
  cli.add_option("face", find.face, "A photo with one face")->required();
  cli.add_option("timelines", find.timelines, "Folders FILM.timeline, or the films beside them")->required();
  cli.add_option("--model", find.model, "The network that made the timelines");
  cli.add_option("--detector", find.detector, "YuNet model (ONNX), 2022mar or 2023mar");
  cli.add_option("--least", find.least, "Least score; default: from which the timelines are unsure")
      ->check(number_between(-1., 1.));
  cli.add_option("--set", find.overrides, "An option of the model: a.b=value (repeatable)")
      ->allow_extra_args(false);
}

}  // namespace

void add_film_flags(CLI::App& cli, FilmRequests& requests) {
  add_identify_flags(cli, requests.films);
  add_identify_flags(
      *cli.add_subcommand(
          "calibrate",
          "Measures which score is worth a name, on films in which nobody of the gallery appears."),
      requests.strangers);
  add_find_flags(*cli.add_subcommand("find", "Finds in which films a face is to be seen, and for how long."),
                 requests.find);
}

int identify_films(int argc, char** argv) {
  choose_blas_kernels(argv);
  if constexpr (kWorker) {
    if (argc == 3 && std::string_view(argv[1]) == kEngineTrial) return engine_trial_main(argv[2]);
  }
  constexpr const char* kProgram = "uir-identify";
  CLI::App cli(description_of(kProgram), kProgram);
  FilmRequests requests;
  add_film_flags(cli, requests);
  const auto body = [&] {
    if constexpr (!kWorker) {
      start_worker(kProgram, {argv, argv + argc});
    } else {
      ignore_write_signals();
      if (cli.got_subcommand("calibrate")) {
        std::cout << run_track_calibration(requests.strangers);
      } else if (cli.got_subcommand("find")) {
        std::cout << run_find(requests.find);
      } else {
        std::cout << run_identify(requests.films);
      }
    }
    return 0;
  };
  return run_program(cli, argc, argv, body, experiment_options);
}

}  // namespace uir
