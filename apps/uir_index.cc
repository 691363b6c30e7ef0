// uir-index CONFIG: indexes the data sets of an experiment, and checks or packs them.
#include "app.h"
#include "uir/pipeline/run_index.h"

int main(int argc, char** argv) {
  uir::App app("uir-index",
               "Indexes the faces of an experiment: folders, lists, RecordIO, videos, synthetic faces.",
               uir::Ranks::kOne);
  uir::IndexRun run;
  app.cli().add_flag("--verify", run.verify, "Decode every image and mark the bad ones");
  app.cli().add_option("--pack", run.pack_folder,
                       "Write shuffled RecordIO shards of the training images here");
  app.cli()
      .add_option("--write-bin", run.bin,
                  "Write the images and pairs of this verification protocol as a .bin set into this file")
      ->type_name("PROTOCOL FILE");
  return app.run(argc, argv, [&](const uir::Experiment& experiment) { uir::run_index(experiment, run); });
}
