// fuzz_replay CORPUS: runs every input CORPUS/<target>/* through its target. A target without inputs, and a
// folder without target, are failures: nothing is skipped in silence.
#include <algorithm>
#include <cstdio>
#include <exception>

#include "target.h"

namespace {

using namespace uir;

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

int replay(const fs::path& corpus) {
  int failures = 0;
  for (const fs::path& folder : entries_of(corpus)) {
    const auto known = std::ranges::any_of(
        fuzz::targets(), [&](const fuzz::Target& target) { return folder.filename() == target.name; });
    if (known) continue;
    std::fprintf(stderr, "%s: there is no such target\n", folder.c_str());
    ++failures;
  }
  for (const fuzz::Target& target : fuzz::targets()) {
    const std::vector<fs::path> inputs = entries_of(corpus / target.name);
    for (const fs::path& input : inputs) {
      try {
        fuzz::run(target.function, MappedFile(input).bytes());
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", input.c_str(), error.what());
        ++failures;
      }
    }
    std::printf("%-16s %zu inputs\n", target.name, inputs.size());
    if (inputs.empty()) ++failures;
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: fuzz_replay CORPUS\n"), 64;
  try {
    return replay(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz_replay: %s\n", error.what());
    return 1;
  }
}
