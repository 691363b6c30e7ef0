// index_faces EXPERIMENT: what `uir-index EXPERIMENT` does.
#include <iostream>

#include <uir/experiment/experiment.h>
#include <uir/pipeline/run_index.h>

int main(int argc, char** argv) try {
  if (argc != 2) uir::fail(uir::ErrorKind::kUsage, "wanted: an experiment");
  uir::run_index(uir::load_experiment(argv[1], {}), {});
  return 0;
} catch (const uir::Error& error) {
  std::cerr << error.what() << '\n';
  return error.exit_code();
}
