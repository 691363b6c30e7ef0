#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "support/zip_archive.h"
#include "uir/base/random.h"
#include "uir/formats/zip.h"

using namespace uir;

namespace {

ZipArchive two_entries(bool zip64) {
  ZipArchive archive;
  archive.zip64 = zip64;
  archive.add("a/second", "some bytes");
  archive.add("a/first", "");
  return archive;
}

// Why the archive is refused; "accepted" if it is not.
std::string refusal(const TempFolder& folder, const std::string& bytes) {
  write_bytes(folder / "z", bytes);
  const auto error = error_of([&] {
    const ZipFile zip(folder / "z");
    for (const ZipEntry& entry : zip.entries()) zip.read(entry);
  });
  if (!error) return "accepted";
  REQUIRE(error->kind() == ErrorKind::kData);
  return error->what();
}

}  // namespace

TEST_CASE("zip: stored entries are views of the file, with and without zip64") {
  TempFolder folder;
  for (const bool zip64 : {false, true}) {
    for (const std::string comment : {"", "a comment"}) {
      write_bytes(folder / "z", two_entries(zip64).bytes(comment));
      const ZipFile zip(folder / "z");
      REQUIRE(zip.entries().size() == 2);
      CHECK(zip.entries()[0].name == "a/first");
      REQUIRE(zip.find("a/second"));
      const Bytes content = zip.read(*zip.find("a/second"));
      CHECK(as_text(content) == "some bytes");
      CHECK(content.data() > zip.file().bytes().data());
      CHECK(content.data() < zip.file().bytes().data() + zip.file().bytes().size());
      CHECK_FALSE(zip.find("a"));
    }
  }
}

TEST_CASE("zip: what is not read is refused by name") {
  TempFolder folder;
  const auto refused = [&](const ZipArchive& archive, const std::string& reason) {
    const std::string message = refusal(folder, archive.bytes());
    INFO(message);
    CHECK(message.find(reason) != std::string::npos);
  };
  ZipArchive archive;
  archive.method = 8;
  archive.add("x", "abc");
  refused(archive, "entry 'x' is compressed (method 8)");
  write_bytes(folder / "z", archive.bytes());
  CHECK(ZipFile(folder / "z").entries()[0].name == "x");  // its name can be known all the same
  archive = {};
  archive.flags = 1;
  archive.add("x", "abc");
  refused(archive, "entry 'x' is encrypted");
  archive = two_entries(false);
  archive.add("a/first", "again");
  refused(archive, "two entries are called 'a/first'");
  archive = {};
  archive.checksum_flip = 1;
  archive.add("x", "abc");
  refused(archive, "entry 'x': checksum");
  archive = {};
  archive.add("w", "def");
  archive.checksums = false;
  archive.add("x", "abc");
  refused(archive, "entry 'x': checksum");  // the other one has one
  CHECK(refusal(folder, "PK\x03\x04").find("too few") != std::string::npos);
  CHECK(refusal(folder, std::string(100, 'x')).find("end record is missing") != std::string::npos);
  CHECK(refusal(folder, ZipArchive().bytes()) == "accepted");
}

TEST_CASE("zip: an archive without checksums is read as it is") {
  const TempFolder folder;
  ZipArchive archive;
  archive.checksums = false;
  archive.add("a", "abc");
  archive.add("b", "");
  write_bytes(folder / "z", archive.bytes());
  const ZipFile zip(folder / "z");
  CHECK(as_text(zip.read(*zip.find("a"))) == "abc");
  CHECK(as_text(zip.read(*zip.find("b"))).empty());
}

TEST_CASE("zip: truncated, lengthened and damaged archives are refused or stay inside the file") {
  TempFolder folder;
  for (const bool zip64 : {false, true}) {
    const std::string good = two_entries(zip64).bytes();
    REQUIRE(refusal(folder, good) == "accepted");
    CHECK(refusal(folder, good + "x") != "accepted");
    CHECK(refusal(folder, "x" + good) != "accepted");
    for (size_t size = 0; size < good.size(); ++size)
      CHECK(refusal(folder, good.substr(0, size)) != "accepted");
    for (uint64_t round = 0; round < 1000; ++round) {
      ItemRandom random(1, RandomPurpose::kTest, zip64, round);
      std::string bytes = good;
      bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
      write_bytes(folder / "z", bytes);
      const auto error = error_of([&] {
        const ZipFile zip(folder / "z");
        const Bytes all = zip.file().bytes();
        for (const ZipEntry& entry : zip.entries()) {
          REQUIRE(entry.stored.data() >= all.data());
          REQUIRE(entry.stored.data() + entry.stored.size() <= all.data() + all.size());
        }
      });
      REQUIRE((!error || error->kind() == ErrorKind::kData));
    }
  }
}
