#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.h"
#include "uir/experiment/experiment.h"
#include "uir/experiment/option_names.h"

using namespace uir;

namespace {

// The names in all tables of docs/config.md's text, without their sections.
std::set<std::string> documented_names() {
  std::set<std::string> names;
  std::istringstream lines(config_reference());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| `")) names.insert(line.substr(3, line.find('`', 3) - 3));
  }
  return names;
}

}  // namespace

TEST_CASE("options have the names that the reference gives them, each once") {
  std::set<std::string> paths, names;
  for (const OptionName& option : experiment_options()) {
    CHECK(paths.insert(option.path).second);
    names.insert(option.path.substr(option.path.rfind('.') + 1));
  }
  CHECK(names == documented_names());
  for (const char* path : {"paths.run", "train.batch.labeled", "train.device", "data.sources[].role"})
    CHECK(paths.count(path) == 1);
}

TEST_CASE("options tell the words that they take") {
  const std::vector<OptionName> options = experiment_options();
  const auto choices = [&](const std::string& path) {
    return std::ranges::find(options, path, &OptionName::path)->choices;
  };
  CHECK(choices("data.sources[].role") == std::vector<std::string>{"labeled", "unlabeled", "test"});
  CHECK(choices("data.augment.mirror") == std::vector<std::string>{"true", "false"});
  CHECK(choices("model.type").size() == 2);
  CHECK(std::ranges::count(choices("data.sources[].format"), "im2rec") == 1);      // of lists
  CHECK(std::ranges::count(choices("data.sources[].format"), "name_label") == 1);  // of videos
  CHECK(choices("train.epochs").empty());
}
