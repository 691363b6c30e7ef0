// What stands behind a number, in words for reports.
#pragma once

#include <string>
#include <string_view>

#include "uir/report/uncertainty.h"

namespace uir {

// Beside an interval that few events carry: "weak: 12 events", "few events: 3"; "" beside others.
std::string weakness_in_words(const Uncertainty& uncertainty);
// Whether a report calls the number weak or not resolved, and what it says of these words, once beneath.
bool is_called_weak(const Uncertainty& uncertainty);
extern const std::string_view kWeakWords;
// "1,200 events, worth 7.5 independent ones; 40 misses", and the note.
std::string evidence_in_words(const Uncertainty& uncertainty);

}  // namespace uir
