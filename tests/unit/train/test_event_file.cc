#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "uir/train/event_file.h"

using namespace uir;

namespace {

fs::path only_file_in(const fs::path& folder) {
  fs::path found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    REQUIRE(found.empty());
    found = entry.path();
  }
  return found;
}

// Reads a file as one that knows no restarts: "step tag" of every scalar, record by record. Sums are not
// compared.
std::vector<std::string> scalars_in(const fs::path& path) {
  const std::string bytes = read_bytes(path);
  std::vector<std::string> found;
  for (size_t at = 0; at < bytes.size();) {
    uint64_t length = 0;
    std::memcpy(&length, bytes.data() + at, 8);
    const std::string message = bytes.substr(at + 12, length);
    REQUIRE(message.size() == length);
    at += 16 + length;
    const size_t tag = message.find("loss/");
    // Time stamp (9 bytes), then the step as a varint of one byte.
    if (tag != std::string::npos && message[9] == '\x10')
      found.push_back(std::to_string(message[10]) + " " + message.substr(tag, 6));
  }
  return found;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  return files;
}

// One start of a run that writes these steps; its file gets the name of that time and process.
void write_start(const fs::path& folder, const std::string& name, int64_t first, int64_t last) {
  const std::vector<fs::path> before = files_in(folder);
  {
    EventFile events(folder, first);
    for (int64_t step = first; step <= last; step += 5) events.write(step, {{"loss/a", 1}, {"loss/b", 2}});
  }
  for (const fs::path& path : files_in(folder)) {
    if (path.filename().string().ends_with(concat(".uir.", ::getpid()))) fs::rename(path, folder / name);
  }
}

}  // namespace

TEST_CASE("event file: a restart cuts what the run's earlier files say of its steps") {
  TempFolder folder;
  const std::string a = "events.out.tfevents.1700000001.uir.11", b = "events.out.tfevents.1700000002.uir.12",
                    c = "events.out.tfevents.1700000003.uir.13";
  write_start(folder.path(), a, 1, 31);
  write_start(folder.path(), b, 22, 60);  // from a checkpoint after step 21
  CHECK(scalars_in(folder / a) ==
        std::vector<std::string>{"1 loss/a", "6 loss/a", "11 loss/a", "16 loss/a", "21 loss/a"});
  const std::string kept = read_bytes(folder / a);
  write_start(folder.path(), c, 43, 50);
  CHECK(scalars_in(folder / b) ==
        std::vector<std::string>{"22 loss/a", "27 loss/a", "32 loss/a", "37 loss/a", "42 loss/a"});
  CHECK(read_bytes(folder / a) == kept);
  // From an earlier checkpoint: what says nothing any more goes.
  write_start(folder.path(), "events.out.tfevents.1700000004.uir.14", 22, 22);
  CHECK(read_bytes(folder / a) == kept);
  CHECK_FALSE(fs::exists(folder / b));
  CHECK_FALSE(fs::exists(folder / c));
}

TEST_CASE("event file: files of other programs, and what is no event file, are left as they are") {
  TempFolder folder;
  const std::string ours = "events.out.tfevents.1700000001.uir.11";
  write_start(folder.path(), ours, 1, 31);
  const std::string bytes = read_bytes(folder / ours);
  const std::vector<std::pair<std::string, std::string>> others{
      {"events.out.tfevents.1700000001.host.11.0", bytes},
      {"events.out.tfevents.1700000001.uir", bytes},
      {"events.out.tfevents.1700000001.uir.11.0", bytes},
      {"notes.uir.1", bytes},
      {"events.out.tfevents.1700000002.uir.12", "no events"},
      {"events.out.tfevents.1700000002.uir.13", ""},
      {"events.out.tfevents.1700000002.uir.14", bytes.substr(40)},  // not from its begin
  };
  for (const auto& [name, content] : others) write_bytes(folder / name, content);
  { const EventFile restarted(folder.path(), 2); }
  for (const auto& [name, content] : others) {
    INFO(name);
    CHECK(read_bytes(folder / name) == content);
  }
  CHECK(scalars_in(folder / ours) == std::vector<std::string>{"1 loss/a"});
}

TEST_CASE("event file: a torn record in front of discarded steps, and one that is damaged") {
  TempFolder folder;
  const std::string name = "events.out.tfevents.1700000001.uir.11";
  write_start(folder.path(), name, 1, 31);
  const std::string bytes = read_bytes(folder / name);
  write_bytes(folder / name, bytes.substr(0, bytes.size() - 3));
  { const EventFile restarted(folder.path(), 100); }
  CHECK(read_bytes(folder / name) == bytes.substr(0, bytes.size() - 3));
  { const EventFile restarted(folder.path(), 7); }
  CHECK(scalars_in(folder / name) == std::vector<std::string>{"1 loss/a", "6 loss/a"});
}

TEST_CASE("event file: CRC-32C of the published examples") {
  // RFC 3720, appendix B.4.
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  CHECK(crc32c("123456789") == 0xe3069283);
}

// How every event file of TensorBoard begins: 24 bytes, their sum, and the version.
// tests/oracle/read_events.py reads whole files.
TEST_CASE("event file: its first record is TensorBoard's") {
  TempFolder folder;
  { const EventFile events(folder / "tensorboard", 1); }
  const fs::path path = only_file_in(folder / "tensorboard");
  CHECK_THAT(path.filename().string(), contains_text("tfevents"));
  const std::string bytes = read_bytes(path);
  REQUIRE(bytes.size() > 40);
  CHECK(std::memcmp(bytes.data(), "\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22\x09", 13) == 0);
  CHECK(bytes.substr(21, 15) ==
        "\x1a\x0d"
        "brain.Event:2");
}

TEST_CASE("event file: a folder that cannot be made") {
  TempFolder folder;
  write_bytes(folder / "tensorboard", "a file");
  CHECK(kind_of([&] { EventFile(folder / "tensorboard", 1); }) == ErrorKind::kCannotCreate);
}
