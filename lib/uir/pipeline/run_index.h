// Indexes the data of an experiment, and on request verifies or packs it.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "uir/experiment/experiment.h"

namespace uir {

struct IndexRun {
  bool verify = false;
  std::string pack_folder;  // empty: no pack
  // A verification protocol of the eval section and the .bin to write its pairs to; empty: none.
  std::pair<std::string, std::string> bin;
  std::function<bool()> stop;  // of build_index
};

// Writes the index, its report (JSON and log lines), a contact sheet, and lists of people of the test sets
// who are trained on, where there are any. Throws as index_builder.h says.
void run_index(const Experiment& experiment, const IndexRun& run);

}  // namespace uir
