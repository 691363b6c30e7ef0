#include "uir/eval/known_sources.h"

#include <algorithm>

#include "uir/base/error.h"
#include "uir/config/names.h"

namespace uir {

const KnownSource* KnownSources::find(std::string_view name) const {
  const auto found = std::ranges::find(sources_, name, &KnownSource::name);
  return found == sources_.end() ? nullptr : &*found;
}

std::vector<std::string> KnownSources::problems_of_sets(std::initializer_list<SetsOfOption> options) const {
  std::vector<std::string> problems;
  if (!sets_are_sources_) return problems;
  for (const auto& [option, sets] : options) {
    for (const std::string& set : sets) {
      const SetName name = parse_set_name(set);
      const KnownSource* source = find(name.source);
      if (!source) {
        problems.push_back(concat(option, ": '", set, "' is no source of the data section"));
      } else if (name.held_out && !source->holds_out) {
        problems.push_back(
            concat(option, ": '", set, "': the source has held_out: 0, so nothing is held out"));
      }
    }
  }
  return problems;
}

}  // namespace uir
