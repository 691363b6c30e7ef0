// People to test with, where the data bring none: some of those in folders are never trained on.
// Threads: pure functions.
#pragma once

#include "uir/survey/choice.h"

namespace uir {

// A fifth of the people with two or more images of the largest folder of people, at least 4 and at most
// 1,000, drawn by their names; they and the others become a source each, with a list. False, with nothing
// changed, where no folder has enough people.
bool split_off_test_people(Choice& choice);

}  // namespace uir
