// Writes an experiment for the data that people name: looked at by survey/survey.h, chosen by
// survey/choice.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "uir/survey/survey.h"

namespace uir {

struct NewRequest {
  std::vector<std::string> data;
  std::string out;
  std::vector<std::pair<std::string, std::string>> roles;  // "labeled", path
  bool force = false;                                      // replace what stands there
  AskRole ask;                                             // none: nobody to ask
};

// Writes the file, and lists beside it that it needs, lists first; returns what is to be said. kUsage where
// a file of one of these names exists already, unless forced; else the errors of survey.h and choice.h.
std::string run_new(const NewRequest& request);

}  // namespace uir
