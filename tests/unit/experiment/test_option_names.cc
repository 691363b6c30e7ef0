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

// "train.batch.labeled" of all tables in docs/config.md's text.
std::set<std::string> documented_options() {
  std::set<std::string> names;
  std::istringstream lines(config_reference());
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("##")) section = line.substr(line.find(' ') + 1);
    if (line.starts_with("| `")) names.insert(section + "." + line.substr(3, line.find('`', 3) - 3));
  }
  return names;
}

}  // namespace

TEST_CASE("options have the names that the reference gives them, each once") {
  std::vector<std::string> names;
  for (const OptionName& option : experiment_options()) names.push_back(option.path);
  const std::set<std::string> unique(names.begin(), names.end());
  CHECK(unique.size() == names.size());
  CHECK(unique.count("train.batch.labeled") == 1);
  CHECK(unique == documented_options());
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
