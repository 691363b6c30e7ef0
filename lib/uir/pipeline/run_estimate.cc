#include "uir/pipeline/run_estimate.h"

#include "uir/base/error.h"
#include "uir/data/index.h"
#include "uir/plan/estimate.h"

namespace uir {
namespace {

DataCounts counts_of_index(const fs::path& folder) {
  if (!fs::exists(folder)) {
    fail(
        ErrorKind::kMissingInput, folder.string(),
        ": no index yet; run uir-index first, or give the numbers: --estimate-classes N --estimate-images N");
  }
  const Index index = Index::open(folder);
  return {index.num_classes(), static_cast<int64_t>(index.training_rows(Role::kLabeled).size()),
          static_cast<int64_t>(index.training_rows(Role::kUnlabeled).size())};
}

}  // namespace

std::string run_estimate(const Experiment& experiment, const EstimateRun& run) {
  const Cluster cluster = parse_cluster(run.cluster);
  const bool given = run.classes > 0 && run.images > 0;
  DataCounts data;
  if (!given) data = counts_of_index(experiment.index_folder());
  if (run.classes > 0) data.classes = run.classes;
  if (run.images > 0) data.labeled_images = run.images;
  if (data.classes == 0) {
    fail(ErrorKind::kConfig, experiment.index_folder().string(),
         ": no labeled faces; training needs a labeled source");
  }
  const bool none_given = run.classes == 0 && run.images == 0;
  return estimate_report(experiment, data,
                         none_given ? "(index)"
                         : given    ? "(as given)"
                                    : "(index, and as given)",
                         cluster);
}

}  // namespace uir
