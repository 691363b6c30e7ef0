#include "uir/pipeline/run_estimate.h"

#include "uir/base/error.h"
#include "uir/plan/estimate.h"

namespace uir {
namespace {

DataCounts counts_of_index(const fs::path& folder) {
  if (!fs::exists(folder)) {
    fail(
        ErrorKind::kMissingInput, folder.string(),
        ": no index yet; run uir-index first, or give the numbers: --estimate-classes N --estimate-images N");
  }
  return counts_of(Index::open(folder));
}

}  // namespace

DataCounts counts_of(const Index& index) {
  return {index.num_classes(), static_cast<int64_t>(index.training_rows(Role::kLabeled).size()),
          static_cast<int64_t>(index.training_rows(Role::kUnlabeled).size())};
}

std::string run_estimate(const Experiment& experiment, const EstimateRun& run) {
  const Cluster cluster = parse_cluster(run.cluster);
  const auto index = [&] { return counts_of_index(experiment.index_folder()); };
  return estimate_report(experiment, planned_data({run.classes, run.images}, index), cluster);
}

}  // namespace uir
