#include "uir/data/label_map.h"

#include <algorithm>
#include <vector>

#include "uir/base/error.h"
#include "uir/formats/text_lines.h"

namespace uir {

LabelMap::LabelMap(const fs::path& file) : file_(file) {
  TextLines lines(file);
  std::vector<std::string_view> fields;
  while (lines.next()) {
    split(lines.line(), '\t', false, fields);
    if (fields.size() < 2 || fields[0].empty() || fields[1].empty())
      lines.refuse("expected an identity, a tab, and the identity that it belongs to");
    if (fields[0] == fields[1]) continue;
    const bool added =
        targets_.emplace(fields[0], Target{std::string(fields[1]), lines.place(), false}).second;
    if (!added) lines.refuse("identity '", fields[0], "' stands in front of another line as well");
  }
  resolve();
}

// Every identity of a chain gets its end at once. A chain longer than there are lines is a circle.
void LabelMap::resolve() {
  for (auto& [name, target] : targets_) {
    std::vector<Target*> chain;
    Target* last = &target;
    for (auto next = targets_.end(); !last->resolved; last = &next->second) {
      chain.push_back(last);
      if (chain.size() > targets_.size())
        fail(ErrorKind::kData, target.place, ": identity '", name, "' is another one in a circle");
      next = targets_.find(last->name);
      if (next == targets_.end()) break;
    }
    for (Target* link : chain) {
      link->name = last->name;
      link->resolved = true;
    }
  }
}

std::string_view LabelMap::identity_of(std::string_view name) const {
  const auto found = targets_.find(name);
  return found == targets_.end() ? name : std::string_view(found->second.name);
}

bool LabelMap::only_numbers() const {
  const auto is_number = [](const auto& entry) {
    const std::string& name = entry.second.name;
    return name.find_first_not_of("0123456789") == std::string::npos && (name == "0" || name[0] != '0');
  };
  return std::ranges::all_of(targets_, is_number);
}

}  // namespace uir
