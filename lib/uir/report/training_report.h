// A training run as one HTML page for people: curves of losses, accuracies, learning rate and speed,
// verification over time, the contact sheet, the resolved config.
//
// Made from what the run folder holds (log.jsonl, config.yaml, contact_sheet.png), so it can be made of a run
// that goes on, too. The page stands alone: it loads nothing and works without its script. A curve has at
// most 400 points, each the mean of as many steps.
// Errors: kMissingInput without a log, those of writing files. Published by the commit protocol.
#pragma once

#include <span>

#include "uir/base/file.h"
#include "uir/report/number_meaning.h"

namespace uir {

// Writes <run_folder>/training.html; returns its path. meanings: of the numbers that its verifications give.
fs::path write_training_report(const fs::path& run_folder, std::span<const NamedMeaning> meanings);

}  // namespace uir
