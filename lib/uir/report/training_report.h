// A training run as one HTML page for people: curves of losses, accuracies, learning rate and speed,
// verification over time, the contact sheet, the resolved config.
//
// Made from what the run folder holds (log.jsonl, config.yaml, contact_sheet.png), so it can be made of a run
// that goes on, too. The page stands alone: it loads nothing and works without its script. A curve has at
// most 400 points, each the mean of as many steps.
// Cost: one pass over the log; memory: 16 bytes per number of a step. Published by the commit protocol.
// Errors: kMissingInput without a log, those of reading and writing files. A line of the log that is no JSON
// is passed over; config.yaml and contact_sheet.png may be missing.
#pragma once

#include <span>

#include "uir/base/file.h"
#include "uir/report/number_meaning.h"

namespace uir {

// Writes <run_folder>/training.html and returns its path. The same files give the same bytes. meanings: of
// the numbers that the run's verifications give. refresh_s: of a training that goes on; the page then says so,
// and loads itself anew after so many seconds.
fs::path write_training_report(const fs::path& run_folder, std::span<const NamedMeaning> meanings,
                               int refresh_s = 0);

}  // namespace uir
