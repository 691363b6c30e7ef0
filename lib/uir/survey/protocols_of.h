// What an experiment measures: of each set what it can carry, of strangers whether they are rejected.
// Threads: pure functions.
#pragma once

#include "uir/survey/choice.h"

namespace uir {

// Whether numbers come of a source of role test: published pairs, or people with two images each.
bool can_be_measured(const FoundSource& found);

// Sets the held-out shares of the training sources, and protocols and watched of the choice; names of sources
// are given before.
void choose_protocols(Choice& choice);

}  // namespace uir
