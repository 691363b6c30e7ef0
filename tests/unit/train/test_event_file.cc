#include <sys/resource.h>

#include <cstring>

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

}  // namespace

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
