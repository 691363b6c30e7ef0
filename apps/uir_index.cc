// uir-index CONFIG: indexes the data sets of an experiment, and checks or packs them.
// uir-index new: writes an experiment for what lies there.
// uir-index align: turns raw photos and videos into aligned faces.
// uir-index overlap CONFIG: finds known people and near-duplicates among unlabeled faces.
// uir-index clean CONFIG: finds wrong labels.
#include <unistd.h>

#include <iostream>
#include <optional>
#include <string>

#include "app.h"
#include "uir/pipeline/run_align.h"
#include "uir/pipeline/run_clean.h"
#include "uir/pipeline/run_index.h"
#include "uir/pipeline/run_new.h"
#include "uir/pipeline/run_overlap.h"

namespace {

// On a terminal people answer, elsewhere nobody does.
std::optional<uir::Role> ask_role(const std::string& question) {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0) return std::nullopt;
  std::cerr << question << " (labeled, unlabeled or test) ";
  std::string answer;
  std::getline(std::cin, answer);
  return uir::enum_from_name<uir::Role>(answer);
}

void add_new(uir::App& app, uir::NewRequest& request) {
  CLI::App& cli = app.add_command("new", "Looks at what is there and writes an experiment for it.",
                                  std::function<void()>([&request] {
                                    request.ask = ask_role;
                                    if constexpr (uir::kWorker) std::cout << uir::run_new(request);
                                  }));
  cli.add_option(
         "data", request.data,
         "Folders of people or strangers, .rec, .bin, lists, videos, published sets, an ONNX network, or "
         "folders that hold these")
      ->required();
  cli.add_option("-o,--out", request.out, "The experiment file to write")->required();
  cli.add_option("--as", request.roles, "What a folder or file is: labeled, unlabeled or test (repeatable)")
      ->type_name("ROLE PATH")
      ->allow_extra_args(false);
  cli.add_flag("--force", request.force, "Replace the file, and lists beside it, where they exist");
}

void add_align(uir::App& app, uir::AlignRequest& request) {
  CLI::App& cli = app.add_command("align", "Finds the faces of photos or videos and aligns them to 112x112.",
                                  std::function<void()>([&request] {
                                    if constexpr (uir::kWorker) uir::run_align(request);
                                  }));
  uir::AlignRun& run = request.run;
  cli.add_option("input", request.inputs, "Folder of photos (any tree), or video files");
  cli.add_option("--out", run.out, "Folder of the aligned faces, in the tree of the photos")->required();
  cli.add_option("--detector", run.aligner.detector, "YuNet model (ONNX), 2022mar or 2023mar");
  cli.add_option("--landmarks", request.landmarks, "Take the five points from this CSV instead of detecting");
  cli.add_option("--list", request.list, "Only the photos (or videos) of this list, below the folder");
  cli.add_option("--format", request.format, "What a line of the list of photos holds (docs/formats.md)");
  uir::add_choice<uir::FaceChoice>(cli, "--faces", run.aligner.faces,
                                   "Which faces of a photo: largest (default), central, all");
  cli.add_option("--min-score", run.aligner.min_score, "Least score of a face")
      ->capture_default_str()
      ->check(uir::number_between(0., 1.));
  cli.add_option("--min-size", run.aligner.min_size, "Least shorter side of a face [pixels]")
      ->capture_default_str()
      ->check(uir::number_between(0., 1e9));
  cli.add_option("--detect-side", run.aligner.detect_side,
                 "Detect on a copy whose longer side has at most so many pixels")
      ->capture_default_str()
      ->check(CLI::Range(160, 16384));
  cli.add_flag("--check", run.aligner.check, "Detect again in every aligned face, and report the distances");
  cli.add_flag("--png", run.encoding.png, "Write PNG instead of JPEG");
  cli.add_option("--quality", run.encoding.quality, "Quality of the JPEG files")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  cli.add_option("--threads", run.threads, "Threads; 0: one per processor")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  cli.add_flag("--resume", run.resume, "Continue an interrupted run");
  cli.add_flag("--videos", request.videos, "The folder holds video files: align their frames");
  cli.add_option("--every", request.sampling.every, "Of a video every n-th frame")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  cli.add_option("--fps", request.sampling.frames_per_second,
                 "Of a video the first frame in each 1 / n second, by the frames' times")
      ->check(uir::number_between(0., 1e9));
  cli.add_option("--max-frames", request.sampling.max_frames, "At most so many frames of a video")
      ->check(CLI::NonNegativeNumber);
  cli.add_option("--missing-frames", request.sampling.missing_frames,
                 "How many frames of a video may be damaged or missing")
      ->check(CLI::NonNegativeNumber);
}

void add_overlap(uir::App& app, uir::OverlapRequest& request) {
  CLI::App& cli = app.add_command(
      "overlap", "Finds known people and near-duplicates among unlabeled faces, by their embeddings.",
      std::function<void(const uir::Experiment&)>([&request](const uir::Experiment& experiment) {
        if constexpr (uir::kWorker) std::cout << uir::run_overlap(experiment, request);
      }));
  const auto sets = [&cli](const std::string& flag, std::vector<std::string>& names,
                           const std::string& help) {
    cli.add_option(flag, names, help)
        ->allow_extra_args(false);  // one value each, so that the file may follow
  };
  cli.add_option("--model", request.model, "One of eval.models; default: the only one, or this run");
  sets("--unlabeled", request.unlabeled, "Set to look through (repeatable); default: all unlabeled sources");
  sets("--labeled", request.labeled,
       "Set of labeled images that tells what a threshold does (repeatable); default: held-out images");
  sets("--against", request.against, "Further set to compare with, such as a test set (repeatable)");
  cli.add_option("--centers", request.centers, "Set of the class centers; default: class_centers");
  cli.add_option("--threshold", request.rules.threshold,
                 "Remove images whose best cosine with a class center is at least this")
      ->check(uir::number_between(-1., 1.));
  cli.add_option("--calibration", request.calibration,
                 "Take that threshold from this calibration.json, made with --gallery class_centers");
  cli.add_option("--false-alarms", request.false_alarms,
                 "Of the calibration: how many of 1,000 strangers may be removed by mistake")
      ->capture_default_str()
      ->check(uir::number_between(1e-6, 1000.));
  cli.add_option("--against-threshold", request.rules.against_threshold,
                 "The same with an image of the sets of --against")
      ->check(uir::number_between(-1., 1.));
  cli.add_option("--duplicates", request.rules.duplicates,
                 "Find near-duplicates: pairs with at least this cosine")
      ->check(uir::number_between(-1., 1.));
  cli.add_flag("--remove-duplicates", request.rules.remove_duplicates,
               "Keep only the first of near-duplicates");
  cli.add_option("--out", request.out, "Write the index without what is removed here");
  cli.add_option("--report", request.report, "Folder of the report; default: overlap in the run folder");
}

void add_clean(uir::App& app, uir::CleanRequest& request) {
  CLI::App& cli = app.add_command(
      "clean",
      "Finds images unlike the rest of their class, classes that are one person and classes of several "
      "people.",
      std::function<void(const uir::Experiment&)>([&request](const uir::Experiment& experiment) {
        if constexpr (uir::kWorker) std::cout << uir::run_clean(experiment, request);
      }));
  cli.add_option("--model", request.model, "One of eval.models; default: the only one, or this run");
  cli.add_option("--labeled", request.set, "Set of labeled images; default: the only labeled source");
  cli.add_option("--unlike", request.thresholds.unlike,
                 "An image is unlike its class below this mean cosine; default: from the images")
      ->check(uir::number_between(-1., 1.));
  cli.add_option("--merge", request.thresholds.merge,
                 "Two classes are one person from this mean cosine on; default: from the images, by the "
                 "classes' sizes")
      ->check(uir::number_between(-1., 1.));
  cli.add_option("--report", request.report, "Folder of the report; default: clean in the run folder");
}

}  // namespace

int main(int argc, char** argv) {
  uir::App app("uir-index", uir::Ranks::kOne);
  uir::IndexRun run;
  app.cli().add_flag("--verify", run.verify, "Decode every image and mark the bad ones");
  app.cli().add_option("--pack", run.pack_folder,
                       "Write shuffled RecordIO shards of the training images here");
  app.cli()
      .add_option("--write-bin", run.bin,
                  "Write the images and pairs of this verification protocol as a .bin set into this file")
      ->type_name("PROTOCOL FILE");
  uir::NewRequest fresh;
  add_new(app, fresh);
  uir::AlignRequest align;
  add_align(app, align);
  uir::OverlapRequest overlap;
  add_overlap(app, overlap);
  uir::CleanRequest clean;
  add_clean(app, clean);
  return app.run(argc, argv, [&](const uir::Experiment& experiment) {
    if constexpr (uir::kWorker) uir::run_index(experiment, run);
  });
}
