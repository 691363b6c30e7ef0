#include "uir/experiment/resume.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "uir/config/resume.h"

namespace uir {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

std::string differences_on_resume(Experiment saved, const Experiment& now) {
  copy_what_may_differ(now, saved);
  const std::vector<std::string> was = lines_of(resolved_config(saved)), is = lines_of(resolved_config(now));
  std::string differences;
  for (size_t i = 0; i < std::max(was.size(), is.size()); ++i) {
    const std::string old_line = i < was.size() ? was[i] : "", new_line = i < is.size() ? is[i] : "";
    if (old_line != new_line) differences += concat("\n  was:", old_line, "\n  now:", new_line);
  }
  return differences;
}

}  // namespace uir
