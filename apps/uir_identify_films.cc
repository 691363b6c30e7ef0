// uir-identify-films: the part of uir-identify that looks at films, photos and faces; uir-identify starts it.
#include <iostream>

#include "app.h"
#include "uir/base/blas.h"
#include "uir/pipeline/onnx_engines.h"
#include "uir/pipeline/run_identify.h"

int main(int argc, char** argv) {
  uir::choose_blas_kernels(argv);
  if (argc == 3 && std::string_view(argv[1]) == uir::kEngineTrial) return uir::engine_trial_main(argv[2]);
  uir::App app("uir-identify", "Finds who appears when in films and photos.", uir::Ranks::kOne);
  uir::IdentifyRequest request;
  CLI::App& cli = app.add_command("films", "Identifies the people in films or photos.",
                                  std::function<void()>([&] { std::cout << uir::run_identify(request); }));
  cli.add_option("inputs", request.inputs, "Films, or folders of photos");
  cli.add_option("--gallery", request.gallery, "Folder with a folder of photos a person");
  cli.add_option("--model", request.model, "Run of uir-train, or an ONNX file");
  cli.add_option("--detector", request.detector, "YuNet model (ONNX) that fits this OpenCV");
  cli.add_option("--out", request.out, "Folder of the timeline");
  cli.add_option("--known", request.known, "Least score of a name");
  cli.add_option("--unsure", request.unsure, "Below this score: a stranger");
  cli.add_option("--rate", request.rate, "Frames looked at per second; 0: every frame");
  cli.add_option("--threads", request.threads, "Threads; 0: one per processor");
  cli.add_option("--set", request.overrides, "Option of the model")->allow_extra_args(false);
  cli.add_flag("--resume", request.resume, "Continue an interrupted run");
  return app.run(argc, argv, [](const uir::Experiment&) {});
}
