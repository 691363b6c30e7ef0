// What a protocol measures with: one model's embedding sets, what searches may use, and where results go.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/file.h"
#include "uir/eval/calibration.h"
#include "uir/eval/embedding_sets.h"
#include "uir/eval/known_sources.h"
#include "uir/search/pair_scan.h"

namespace uir {

// Of one model on one rank. All ranks measure the same protocols in the same order, each its slice of the
// scans that are shared; without an exchange there is one rank.
struct EvalContext {
  EmbeddingSets& sets;
  const KnownSources& sources;
  DividedScanOptions scan;  // resources, slice, exchange and stop request; a protocol adds what it scans
  std::string file_prefix;  // what the paths of the model's files in the report folder begin with
  bool writes = true;       // false: another rank writes the files
  // Files to continue from after an interruption; no longer needed once the report is written.
  std::vector<fs::path> states{};
  std::optional<Calibration> calibration{};  // of the model
  bool pictures = false;                     // results name their hardest pairs (eval/hardest.h)

  int threads() const { return scan.resources.threads; }
  // The model's calibration, if it has one; kData if the set is of another network.
  const Calibration* calibration_of(const EmbeddingStore& set) const {
    if (!calibration) return nullptr;
    check_calibrated_model(*calibration, set);
    return &*calibration;
  }
  // "<prefix><name><ending>"
  fs::path file(std::string_view name, std::string_view ending) const {
    return concat(file_prefix, name, ending);
  }
};

}  // namespace uir
