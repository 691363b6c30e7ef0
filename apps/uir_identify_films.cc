// uir-identify-films: the part of uir-identify that looks at films, photos and faces. uir-identify starts
// it, with its own command line.
#include <iostream>

#include "identify_flags.h"
#include "uir/base/blas.h"
#include "uir/pipeline/onnx_engines.h"
#include "uir/pipeline/run_identify.h"

int main(int argc, char** argv) {
  uir::choose_blas_kernels(argv);
  if (argc == 3 && std::string_view(argv[1]) == uir::kEngineTrial) return uir::engine_trial_main(argv[2]);
  constexpr const char* kProgram = "uir-identify";
  CLI::App cli("Finds who appears when in films and photos.", kProgram);
  uir::IdentifyRequest request;
  uir::add_identify_flags(cli, request);

  uir::IdentifyRequest strangers;
  CLI::App* calibrate = cli.add_subcommand(
      "calibrate", "Measures which score is worth a name, on films in which nobody of the gallery appears.");
  uir::add_identify_flags(*calibrate, strangers);

  uir::FindRequest find;
  CLI::App* finding =
      cli.add_subcommand("find", "Finds in which films a face is to be seen, and for how long.");
  finding->add_option("face", find.face, "A photo with one face")->required();
  finding->add_option("timelines", find.timelines, "Folders FILM.timeline, or the films beside them")
      ->required();
  finding->add_option("--model", find.model, "The network that made the timelines");
  finding->add_option("--detector", find.detector, "YuNet model (ONNX), 2022mar or 2023mar");
  finding->add_option("--least", find.least, "Least score; default: from which the timelines are unsure")
      ->check(uir::number_between(-1., 1.));
  finding->add_option("--set", find.overrides, "An option of the model: a.b=value (repeatable)")
      ->allow_extra_args(false);

  return uir::run_program(cli, kProgram, [&] {
    cli.parse(argc, argv);
    uir::ignore_write_signals();
    if (calibrate->parsed()) {
      std::cout << uir::run_track_calibration(strangers);
    } else if (finding->parsed()) {
      std::cout << uir::run_find(find);
    } else {
      std::cout << uir::run_identify(request);
    }
    return 0;
  });
}
