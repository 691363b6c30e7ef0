#include "uir/pipeline/run_index.h"

#include "uir/base/json.h"
#include "uir/base/log.h"
#include "uir/data/contact_sheet.h"
#include "uir/data/index_builder.h"
#include "uir/data/index_report.h"
#include "uir/data/pack.h"

namespace uir {

void run_index(const Experiment& experiment, const IndexRun& run) {
  if (experiment.data.sources.empty()) fail(ErrorKind::kConfig, "data.sources: no source of faces is given");
  const fs::path folder = experiment.index_folder();
  const int threads = static_cast<int>(experiment.data.loader.threads);
  IndexReport report = build_index(experiment.data, folder, threads);
  if (run.verify) {
    for (const std::string& line : verify_index(folder, threads).lines()) log_info(line);
    const int64_t read = report.images_read, reused = report.images_reused;
    report = make_index_report(Index::open(folder));  // knows the bad ones now
    report.images_read = read;
    report.images_reused = reused;
  }
  for (const std::string& line : report.lines()) log_info(line);
  const fs::path report_file = experiment.run_folder() / "index_report.json";
  write_file_atomically(report_file, report.to_json().dump(2) + "\n");
  const fs::path sheet = experiment.run_folder() / "contact_sheet.png";
  const Index index = Index::open(folder);
  write_contact_sheet(index, sheet);
  log_info("index: ", folder.string(), "; report: ", report_file.string(), "; look at ", sheet.string());
  if (run.pack_folder.empty()) return;
  PackOptions options;
  options.threads = threads;
  for (const std::string& line : pack_index(index, run.pack_folder, options).lines()) log_info(line);
}

}  // namespace uir
