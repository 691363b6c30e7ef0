// From what was found to an experiment: roles, people to test with, network, batch, schedule, protocols, by
// fixed rules that docs/new.md lists. The second half of `uir-index new`.
//
// Cost: microseconds beside the survey. Threads: pure functions.
// Errors: kData where nothing can be trained and nothing embedded, or a path is no UTF-8, which YAML wants.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/experiment/experiment.h"
#include "uir/survey/survey.h"

namespace uir {

struct Machine {
  int64_t processors = 1;
  double memory_bytes = 0;
  bool cuda = false;  // its training runs on a CUDA device, whose speed and memory nobody measured yet
};

// A file that the experiment reads besides the data.
struct PlannedList {
  fs::path path;
  ListToWrite kind = ListToWrite::kNone;
  fs::path root;
  std::vector<std::string> people{};  // of kPeople
};

struct PlannedProtocol {
  std::string name;
  std::string options;  // in YAML, without name
  fs::path path{};      // behind "key: "
  std::string key{};
  // Measures class centers alone, no embeddings.
  bool is_of_centers() const { return options == "type: separation"; }
};

struct Choice {
  std::vector<FoundSource> sources;  // with names, held-out shares, and the files of lists that are written
  std::vector<PlannedList> lists;
  std::vector<PlannedProtocol> protocols;
  std::vector<std::string> watched;  // of these, while training
  fs::path network;                  // to start from, or to embed with; empty: none
  std::string network_what;
  bool trains = true;
  // What the file says of model, head, uir and train; the rest is default.
  Experiment settings;
  int64_t train_images = 0, train_people = 0, strangers = 0;
  int64_t steps = 0;
  double seconds = 0;  // of training; 0: not known
  double memory_bytes = 0;
  std::vector<std::string> notes;     // what people should know of the choice
  std::vector<std::string> left_out;  // of the data
};

// file: where the experiment is to stand; lists that it needs get names beside it.
Choice choose_experiment(Survey survey, const Machine& machine, const fs::path& file);

// The experiment as commented YAML: what differs from the defaults, and why.
std::string experiment_text(const Choice& choice, const Machine& machine, const fs::path& file);

// What was found, guessed, left out and chosen, for people; ends with a newline.
std::string choice_report(const Choice& choice, const fs::path& file);

}  // namespace uir
