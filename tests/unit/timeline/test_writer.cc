#include "uir/timeline/writer.h"

#include <map>

#include "support/catch.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "support/timelines.h"
#include "uir/timeline/names.h"

namespace uir {
namespace {

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), folder).string()] = read_bytes(entry.path());
  }
  return files;
}

TEST_CASE("a film's folder, written twice, stays as it is", "[timeline]") {
  const TempFolder folder;
  const Timeline timeline = made_up_timeline(4);
  write_outputs(folder.path(), timeline);
  const auto files = files_of(folder.path());
  for (const std::string file : {"timeline.json", "timeline.csv", "visible.vtt", "scenes.vtt"})
    CHECK(files.count(file) == 1);
  const auto time = fs::last_write_time(folder / "timeline.csv");
  write_outputs(folder.path(), read_timeline(folder.path()));
  CHECK(files_of(folder.path()) == files);
  CHECK(fs::last_write_time(folder / "timeline.csv") == time);
}

}  // namespace
}  // namespace uir
