// The flags of the analysis: uir-identify-films parses them, uir-identify shows them.
#pragma once

#include "console.h"
#include "uir/identify/request.h"

namespace uir {

inline void add_identify_flags(CLI::App& cli, IdentifyRequest& request) {
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

}  // namespace uir
