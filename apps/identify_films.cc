#include "identify_films.h"

#include <iostream>
#include <string_view>

#include "console.h"
#include "uir/base/blas.h"
#include "uir/pipeline/engine_trial.h"
#include "uir/pipeline/run_identify.h"
#include "worker.h"

namespace uir {

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

int identify_films(int argc, char** argv) {
  choose_blas_kernels(argv);
  if constexpr (kWorker) {
    if (argc == 3 && std::string_view(argv[1]) == kEngineTrial) return engine_trial_main(argv[2]);
  }
  constexpr const char* kProgram = "uir-identify";
  CLI::App cli("Finds who appears when in films and photos.", kProgram);
  IdentifyRequest request;
  add_identify_flags(cli, request);

  IdentifyRequest strangers;
  CLI::App* calibrate = cli.add_subcommand(
      "calibrate", "Measures which score is worth a name, on films in which nobody of the gallery appears.");
  add_identify_flags(*calibrate, strangers);

  FindRequest find;
  CLI::App* finding =
      cli.add_subcommand("find", "Finds in which films a face is to be seen, and for how long.");
  finding->add_option("face", find.face, "A photo with one face")->required();
  finding->add_option("timelines", find.timelines, "Folders FILM.timeline, or the films beside them")
      ->required();
  finding->add_option("--model", find.model, "The network that made the timelines");
  finding->add_option("--detector", find.detector, "YuNet model (ONNX), 2022mar or 2023mar");
  finding->add_option("--least", find.least, "Least score; default: from which the timelines are unsure")
      ->check(number_between(-1., 1.));
  finding->add_option("--set", find.overrides, "An option of the model: a.b=value (repeatable)")
      ->allow_extra_args(false);

  return run_program(cli, kProgram, [&] {
    cli.parse(argc, argv);
    if constexpr (!kWorker) {
      start_worker(kProgram, {argv, argv + argc});
    } else {
      ignore_write_signals();
      if (calibrate->parsed()) {
        std::cout << run_track_calibration(strangers);
      } else if (finding->parsed()) {
        std::cout << run_find(find);
      } else {
        std::cout << run_identify(request);
      }
    }
    return 0;
  });
}

}  // namespace uir
