#include "uir/formats/recordio.h"

#include <fstream>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/real_data.h"
#include "support/temp_folder.h"
#include "uir/base/random.h"
#include "uir/images/decode.h"

using namespace uir;
using namespace std::string_literals;

namespace {

const std::string kMagic = "\x0a\x23\xd7\xce"s;

std::string u32(uint32_t value) { return {reinterpret_cast<const char*>(&value), 4}; }
std::string f32(float value) { return {reinterpret_cast<const char*>(&value), 4}; }
std::string u64(uint64_t value) { return {reinterpret_cast<const char*>(&value), 8}; }

std::string part(uint32_t flag, const std::string& payload) {
  return kMagic + u32(flag << 29 | static_cast<uint32_t>(payload.size())) + payload +
         std::string((4 - payload.size() % 4) % 4, '\0');
}
std::string image(float label, uint64_t id, const std::string& bytes) {
  return u32(0) + f32(label) + u64(id) + u64(0) + bytes;
}

void write(const fs::path& path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << content;
}

void put_byte(const fs::path& path, size_t at, char byte) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

std::vector<RecordEntry> entries_of(const fs::path& rec, const fs::path& idx = {}) {
  std::vector<RecordEntry> entries;
  for_each_image_record(RecordFile(rec), idx,
                        [&](const RecordEntry& entry, const ImageRecord&) { entries.push_back(entry); });
  return entries;
}

std::vector<uint64_t> keys_of(const fs::path& rec, const fs::path& idx = {}) {
  std::vector<uint64_t> keys;
  for (const RecordEntry& entry : entries_of(rec, idx)) keys.push_back(entry.key);
  return keys;
}

std::string refusal(const fs::path& rec) {
  const auto error = error_of([&] {
    const RecordFile file(rec);
    std::vector<std::byte> buffer;
    for_each_image_record(
        file, {}, [&](const RecordEntry& entry, const ImageRecord&) { file.record(entry.offset, buffer); });
  });
  if (!error) return "accepted";
  CHECK(error->kind() == ErrorKind::kData);
  return error->what();
}

}  // namespace

TEST_CASE("A record as dmlc-core lays it out", "[recordio]") {
  const TempFolder folder;
  write(folder / "a.rec",
        part(0, image(3, 0, "abcde")) + part(0, u32(2) + f32(9) + u64(1) + u64(0) + f32(7) + f32(8) + "xy"));
  const RecordFile file(folder / "a.rec");
  std::vector<std::byte> buffer;
  const ImageRecord first = file.record(0, buffer);
  CHECK(first.label() == 3);
  CHECK(first.header.id == 0);
  CHECK(as_text(first.image) == "abcde");
  const ImageRecord second = file.record(first.next_offset, buffer);
  CHECK(second.label() == 7);
  CHECK(second.label(1) == 8);
  CHECK(as_text(second.image) == "xy");
  CHECK(second.next_offset == file.size());
}

TEST_CASE("The magic number inside a payload splits the record and comes back", "[recordio]") {
  const TempFolder folder;
  // Aligned at the start, twice in a row, unaligned, and at the end.
  const std::string payloads[] = {kMagic + "abcd", "abcd" + kMagic + kMagic + "ef", "ab" + kMagic + "c",
                                  "abcd" + kMagic, kMagic};
  RecordWriter writer(folder / "a.rec", folder / "a.idx");
  uint64_t key = 0;
  for (const std::string& payload : payloads) writer.write(key++, 1, as_bytes(payload));
  writer.close();

  const RecordFile file(folder / "a.rec");
  std::vector<std::byte> buffer;
  uint64_t offset = 0;
  for (const std::string& payload : payloads) {
    const ImageRecord record = file.record(offset, buffer);
    CHECK(as_text(record.image) == payload);
    offset = record.next_offset;
  }
  CHECK(offset == file.size());
  // Readers find records by looking for the magic at aligned places: it must occur there as a part's begin
  // only.
  const std::string written = read_text_file(folder / "a.rec");
  const std::string expected = part(1, image(1, 0, "")) + part(3, "abcd");
  CHECK(written.substr(0, expected.size()) == expected);
}

TEST_CASE("Without .idx the keys are rebuilt", "[recordio]") {
  const TempFolder folder;
  const auto rec = folder / "a.rec";
  write(rec, part(0, image(0, 2, "a")) + part(0, image(0, 0, "b")) + part(0, image(0, 1, "c")));
  CHECK(keys_of(rec) == std::vector<uint64_t>{2, 0, 1});  // unique ids, one of them 0
  write(rec, part(0, image(0, 2, "a")) + part(0, image(0, 3, "b")) + part(0, image(0, 1, "c")));
  CHECK(keys_of(rec) == std::vector<uint64_t>{0, 1, 2});  // no id 0: positions
  write(rec, part(0, image(0, 0, "a")) + part(0, image(0, 0, "b")));
  CHECK(keys_of(rec) == std::vector<uint64_t>{0, 1});  // repeated ids: positions
}

TEST_CASE("InsightFace's layout: key 0 tells which records are images", "[recordio]") {
  const TempFolder folder;
  RecordWriter writer(folder / "train.rec", folder / "train.idx");
  writer.write(1, 0, as_bytes("one"));
  writer.write(2, 0, as_bytes("two"));
  writer.write(3, 1, as_bytes("three"));
  writer.write(4, std::array{1.0f, 3.0f}, {});
  writer.write(5, std::array{3.0f, 4.0f}, {});
  writer.write(0, std::array{4.0f, 6.0f}, {});
  writer.close();
  CHECK(keys_of(folder / "train.rec") == std::vector<uint64_t>{1, 2, 3});
  fs::rename(folder / "train.idx", folder / "other.idx");
  CHECK(keys_of(folder / "train.rec") == std::vector<uint64_t>{1, 2, 3});
  CHECK(keys_of(folder / "train.rec", folder / "other.idx") == std::vector<uint64_t>{1, 2, 3});
}

namespace {

RecordSurvey survey_of(const fs::path& rec) {
  return for_each_image_record(RecordFile(rec), {}, [](const RecordEntry&, const ImageRecord&) {});
}

using Keys = std::vector<uint64_t>;

// InsightFace's layout with images at these keys, two identities behind key `last`, and what record 0 says.
void write_insightface(const fs::path& rec, const Keys& images, uint64_t last, float end) {
  RecordWriter writer(rec, fs::path(rec).replace_extension(".idx"));
  for (const uint64_t key : images) writer.write(key, 0, as_bytes("face"));
  writer.write(last + 1, std::array{1.0f, 3.0f}, {});
  writer.write(last + 2, std::array{3.0f, static_cast<float>(last + 1)}, {});
  writer.write(0, std::array{end, end + 2}, {});
  writer.close();
}

}  // namespace

TEST_CASE("Several labels a record: record 0 with an image is no header", "[recordio]") {
  const TempFolder folder;
  const fs::path rec = folder / "a.rec";
  for (const float first : {0.0f, 1.0f, 2.0f, 5.0f, 1000.0f, -1.0f, 0.5f}) {
    for (const size_t labels : {1, 2, 5}) {
      CAPTURE(first, labels);
      RecordWriter writer(rec, folder / "a.idx");
      for (uint64_t key = 0; key < 4; ++key)
        writer.write(key, std::vector<float>(labels, key == 0 ? first : 3.0f), as_bytes("image"));
      writer.close();
      CHECK(keys_of(rec) == Keys{0, 1, 2, 3});
      fs::remove(folder / "a.idx");
      CHECK(keys_of(rec) == Keys{0, 1, 2, 3});
      CHECK(survey_of(rec).without_image == 0);
    }
  }
}

TEST_CASE("Where images end is told by the records, not by float32", "[recordio]") {
  const TempFolder folder;
  const fs::path rec = folder / "train.rec";
  // Every rounding of record 0: down, exact, up, and by more than the identities' keys.
  for (const uint64_t last :
       {uint64_t{1} << 24, (uint64_t{1} << 24) - 1, (uint64_t{1} << 24) + 1, (uint64_t{1} << 24) + 2,
        (uint64_t{1} << 25) + 5, uint64_t{99999999}, uint64_t{1234567890}, (uint64_t{1} << 40) + 77}) {
    CAPTURE(last);
    const Keys images{1, 2, 3, last - 2, last - 1, last};
    write_insightface(rec, images, last, static_cast<float>(last + 1));
    CHECK(keys_of(rec) == images);
    const RecordSurvey survey = survey_of(rec);
    CHECK(survey.without_image == 0);
    CHECK(survey.behind_end == 0);
    CHECK(survey.unnamed_bytes == 0);
  }
}

TEST_CASE("An .idx in any order, with holes, or cut off", "[recordio]") {
  const TempFolder folder;
  const fs::path rec = folder / "train.rec", idx = folder / "train.idx";
  write_insightface(rec, {1, 2, 3, 4}, 4, 5);
  std::ifstream in(idx);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line + "\n");
  const auto keys_with = [&](const std::vector<size_t>& chosen) {
    std::string text;
    for (const size_t i : chosen) text += lines[i];
    write(idx, text);
    return keys_of(rec);
  };
  REQUIRE(lines.size() == 7);
  CHECK(keys_with({6, 3, 5, 0, 4, 2, 1}) == Keys{4, 1, 3, 2});
  CHECK(survey_of(rec).unnamed_bytes == 0);
  CHECK(keys_with({6, 0, 3, 4}) == Keys{1, 4});  // holes
  CHECK(survey_of(rec).unnamed_bytes > 0);
  CHECK(keys_with({0, 1, 2}) == Keys{1, 2, 3});  // cut among the images
  CHECK(survey_of(rec).unnamed_bytes == fs::file_size(rec) - 3 * 36);
  CHECK(survey_of(rec).without_image == 0);
  CHECK(keys_with({0, 1, 2, 3, 4, 5}) == Keys{1, 2, 3, 4});  // without key 0: identities are no images
  CHECK(survey_of(rec).without_image == 2);
  CHECK(survey_of(rec).first_without_image == 5);
  fs::remove(idx);
  CHECK(keys_of(rec) == Keys{1, 2, 3, 4});
}

TEST_CASE("Images behind the end that record 0 announces are taken, and counted", "[recordio]") {
  const TempFolder folder;
  write_insightface(folder / "a.rec", {1, 2, 3, 4, 5}, 5, 5);  // off by one
  CHECK(keys_of(folder / "a.rec") == Keys{1, 2, 3, 4, 5});
  CHECK(survey_of(folder / "a.rec").behind_end == 1);
  CHECK(survey_of(folder / "a.rec").end == 5);
  // A record before that end which has lost its image stays one, to be marked as bad; behind it it is none.
  RecordWriter writer(folder / "b.rec", folder / "b.idx");
  writer.write(1, 0, as_bytes("face"));
  writer.write(2, std::array{0.0f, 1.0f}, {});
  writer.write(3, 0, {});
  writer.write(4, std::array{1.0f, 4.0f}, {});
  writer.write(5, 0, {});  // a scalar label: no identity
  writer.write(0, std::array{4.0f, 5.0f}, {});
  writer.close();
  CHECK(keys_of(folder / "b.rec") == Keys{1, 2, 3, 5});
}

TEST_CASE("Shards count as one file", "[recordio]") {
  const TempFolder folder;
  CHECK(shard_name("pack", 3, 12) == "pack-00003-of-00012.rec");
  for (size_t shard = 0; shard < 3; ++shard) {
    const fs::path rec = folder / shard_name("pack", shard, 3);
    RecordWriter writer(rec, fs::path(rec).replace_extension(".idx"));
    writer.write(0, static_cast<float>(shard), as_bytes(concat("image ", shard)));
    writer.write(1, static_cast<float>(shard), as_bytes("last"));
    writer.close();
  }
  const RecordFile file(folder / "pack-00000-of-00003.rec");
  CHECK(file.num_shards() == 3);
  std::vector<std::byte> buffer;
  const auto entries = entries_of(folder / "pack-00000-of-00003.rec");
  REQUIRE(entries.size() == 6);
  CHECK(as_text(file.record(entries[4].offset, buffer).image) == "image 2");
  CHECK(entries[4].shard == 2);
  CHECK(as_text(file.record(entries[3].offset, buffer).image) == "last");
  CHECK(shard_paths(folder / "pack-00001-of-00003.rec").size() == 1);
  CHECK(kind_of([&] { entries_of(folder / "pack-00000-of-00003.rec", folder / "x.idx"); }) ==
        ErrorKind::kConfig);
  fs::remove(folder / "pack-00002-of-00003.rec");
  CHECK(kind_of([&] { RecordFile{folder / "pack-00000-of-00003.rec"}; }) == ErrorKind::kMissingInput);
}

TEST_CASE("Malformed records are refused with file and offset", "[recordio]") {
  const TempFolder folder;
  const auto rec = folder / "a.rec";
  const std::string good = part(0, image(0, 0, "abcdefgh"));
  write(rec, good + "garbage garbage");
  CHECK_THAT(refusal(rec), contains_text("a.rec: record at offset 40: does not start with RecordIO's magic"));
  write(rec, good + kMagic);
  CHECK_THAT(refusal(rec), contains_text("offset 40: beyond the end"));
  write(rec, good + kMagic + u32((1u << 29) - 1) + "abc");
  CHECK_THAT(refusal(rec), contains_text("536870911 bytes, but only 3 follow"));
  write(rec, part(2, image(0, 0, "a")));
  CHECK_THAT(refusal(rec), contains_text("begins with flag 2"));
  write(rec, part(1, image(0, 0, "a")) + part(0, "b"));
  CHECK_THAT(refusal(rec), contains_text("part at 36 has flag 0"));
  write(rec, part(0, "short"));
  CHECK_THAT(refusal(rec), contains_text("5 bytes, an image record has at least 24"));
  write(rec, part(0, u32(1000000) + f32(0) + u64(0) + u64(0)));
  CHECK_THAT(refusal(rec), contains_text("1000000 labels do not fit"));
  write(rec, part(0, u32(1) + f32(0) + u64(0) + u64(0) + f32(-3)));
  CHECK_THAT(refusal(rec), contains_text("images end at key -3"));
}

TEST_CASE("A malformed .idx is refused with file and line", "[recordio]") {
  const TempFolder folder;
  write(folder / "a.rec", part(0, image(0, 0, "abcd")));
  for (const char* line : {"x\t0", "1 0", "1\t-1", "1\t0 ", "1\t0\t3", "1"}) {
    write(folder / "a.idx", concat("0\t0\n", line, "\n"));
    CHECK_THAT(refusal(folder / "a.rec"), contains_text("a.idx:2: expected 'key<TAB>offset'"));
  }
  write(folder / "a.idx", "0\t36\n");
  CHECK_THAT(refusal(folder / "a.rec"), contains_text("offset 36 is beyond the 36 bytes"));
}

TEST_CASE("A record file that is cut or damaged anywhere never crashes the reader", "[recordio]") {
  const TempFolder folder;
  RecordWriter writer(folder / "a.rec", folder / "a.idx");
  for (uint64_t key = 1; key <= 4; ++key) writer.write(key, 1, as_bytes(kMagic + "abcd" + kMagic + "efg"));
  writer.write(0, std::array{5.0f, 5.0f}, {});
  writer.close();
  fs::remove(folder / "a.idx");
  const std::string whole = read_text_file(folder / "a.rec");
  const auto rec = folder / "b.rec";
  const auto kind = [&] { return kind_of([&] { entries_of(rec); }); };
  write(rec, whole);
  for (uint64_t round = 0; round < 1000; ++round) {
    ItemRandom random(2, RandomPurpose::kTest, 0, round);
    const size_t at = random.below(whole.size());
    put_byte(rec, at, static_cast<char>(random.below(256)));
    const auto found = kind();
    CHECK((!found || found == ErrorKind::kData));
    put_byte(rec, at, whole[at]);
  }
  for (size_t length = whole.size(); length-- > 0;) {
    fs::resize_file(rec, length);
    const auto found = kind();
    CHECK((!found || found == ErrorKind::kData));
  }
}

TEST_CASE("A published RecordIO made by im2rec", "[recordio][real]") {
  const fs::path rec = real_data("formats/popkorn_train.rec");
  if (rec.empty()) return;
  const RecordFile file(rec);
  std::vector<std::byte> buffer;
  // Key and label of each record as its .lst has them, in the order of the .idx.
  const std::vector<std::pair<uint64_t, float>> expected{{0, 0}, {4, 1}, {7, 1}, {5, 1},
                                                         {1, 0}, {6, 1}, {3, 0}, {2, 0}};
  const auto entries = entries_of(rec);
  REQUIRE(entries.size() == expected.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    const ImageRecord record = file.record(entries[i].offset, buffer);
    CHECK(entries[i].key == expected[i].first);
    CHECK(record.label() == expected[i].second);
    CHECK(record.header.id == expected[i].first);
    CHECK(is_jpeg(record.image));
  }
  // Scanning finds the same.
  const TempFolder folder;
  fs::copy_file(rec, folder / "copy.rec");
  CHECK(keys_of(folder / "copy.rec") == keys_of(rec));
}
