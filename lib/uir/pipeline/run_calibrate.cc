#include "uir/pipeline/run_calibrate.h"

#include <memory>

#include "uir/base/error.h"
#include "uir/base/json_text.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/eval/calibration_report.h"
#include "uir/pipeline/named_model.h"
#include "uir/pipeline/search_device.h"
#include "uir/pipeline/stop_request.h"
#include "uir/ranks/world.h"

namespace uir {

std::string run_calibrate(const Experiment& experiment, const CalibrationRequest& request) {
  if (world_from_environment().size > 1)
    fail(ErrorKind::kUsage, "calibrate is the work of one process: start it without a launcher");
  watch_stop_signals();
  const EvalModel model = named_model(experiment, request.model);
  const int threads = resolve_threads(static_cast<int>(experiment.eval.threads));
  EmbeddingSets sets(model, experiment.eval.models, threads);
  CalibrationSets chosen{{request.known, &sets.store(request.known)}, {}, {}};
  for (const std::string& set : request.strangers) chosen.strangers.push_back({set, &sets.store(set)});
  if (!request.gallery.empty()) chosen.gallery = {request.gallery, &sets.store(request.gallery)};

  const std::unique_ptr<BlockFilter> device = device_filter(experiment.eval, World());
  ScanOptions scan;
  scan.resources = {.threads = threads, .memory = experiment.eval.memory_mb << 20, .device = device.get()};
  scan.stop = stop_requested;
  const Calibration calibration = calibrate(chosen, request.rates, scan);

  const fs::path folder = request.out.empty() ? experiment.run_folder() / "calibration" : request.out;
  create_folders(folder);
  const std::string text = calibration_text(calibration);
  write_file_atomically(folder / "calibration.html", calibration_page(calibration));
  write_file_atomically(folder / "calibration.txt", text);
  write_file_atomically(folder / "calibration.json", json_text(to_json(calibration), 1) + "\n");
  log_info("calibration: ", (folder / "calibration.html").string(),
           " for people, calibration.json for programs");
  return text;
}

}  // namespace uir
