#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <numeric>

#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/base/error.h"
#include "uir/base/random.h"
#include "uir/store/embedding_store.h"

namespace uir {
namespace {

// A small data set whose every number is a function of its place.
struct Rows {
  int64_t rows = 37, dim = 5;
  std::vector<float> embeddings, mirrored, classes;
  std::vector<std::string> items;

  Rows() {
    for (int64_t i = 0; i < rows * dim; ++i) {
      embeddings.push_back(static_cast<float>(i) / 7 - 3);
      mirrored.push_back(static_cast<float>(i) / 9 + 1);
    }
    for (int64_t i = 0; i < rows; ++i) {
      for (float x : {static_cast<float>(i % 4), 0.5F, 0.25F, -1.0986F}) classes.push_back(x);
      items.push_back(concat("person ", i, "/photo.jpg\t", i % 3 - 1));
    }
  }
  StoreShape shape(bool all = true) const { return {rows, dim, all, all}; }

  // Appends rows [begin, end).
  void append(EmbeddingStoreWriter& writer, int64_t begin, int64_t end, bool all = true) const {
    writer.append({embeddings.data() + begin * dim, end - begin, dim},
                  all ? mirrored.data() + begin * dim : nullptr, all ? classes.data() + begin * 4 : nullptr,
                  std::span(items).subspan(begin, end - begin));
  }
};

Json extraction(const std::string& weights = "abc") {
  return {{"weights", weights}, {"colour_order", "RGB"}};
}

// Writes in blocks of 13 rows, synced each, from wherever an interrupted run stopped.
void write_all(const fs::path& folder, const Rows& rows, const Json& manifest = extraction()) {
  EmbeddingStoreWriter writer(folder, rows.shape(), manifest);
  for (int64_t i = writer.rows_done(); i < rows.rows; i += 13) {
    rows.append(writer, i, std::min(i + 13, rows.rows));
    writer.sync();
  }
  writer.commit();
}

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    files[entry.path().filename().string()] = read_text_file(entry.path());
  }
  return files;
}

template <class F>
std::string error_of(ErrorKind kind, F&& f) {
  try {
    f();
  } catch (const Error& e) {
    CHECK(e.kind() == kind);
    return e.what();
  }
  return "no error";
}

void overwrite(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// Failpoints: dies, or fails as a full disk does, at the n-th point.
std::atomic<int> points_left{0};
void die(std::string_view) {
  if (points_left-- == 0) ::_exit(9);
}
void disk_full(std::string_view) {
  if (points_left-- == 0) fail(ErrorKind::kIo, "disk full");
}
struct Failpoints {
  Failpoints(FailpointHandler handler, int n) {
    points_left = n;
    set_failpoint_handler(handler);
  }
  ~Failpoints() { set_failpoint_handler(nullptr); }
};

}  // namespace

TEST_CASE("what was written is read back") {
  TempFolder folder;
  const Rows rows;
  const bool all = GENERATE(true, false);
  {
    EmbeddingStoreWriter writer(folder / "set", rows.shape(all), extraction());
    CHECK(writer.rows_done() == 0);
    rows.append(writer, 0, 10, all);
    rows.append(writer, 10, 10, all);
    rows.append(writer, 10, rows.rows, all);
    writer.commit();
  }
  const EmbeddingStore store = EmbeddingStore::open(folder / "set");
  REQUIRE(store.size() == rows.rows);
  const MatrixView m = store.embeddings();
  CHECK(m.cols == rows.dim);
  CHECK(std::vector<float>(m.data, m.data + m.rows * m.cols) == rows.embeddings);
  CHECK(store.mirrored().has_value() == all);
  CHECK(store.classes().has_value() == all);
  if (all) {
    CHECK(std::vector<float>(store.mirrored()->data, store.mirrored()->data + m.rows * m.cols) ==
          rows.mirrored);
    CHECK(std::vector<float>(store.classes()->data, store.classes()->data + m.rows * 4) == rows.classes);
  }
  CHECK(store.item(11) == "person 11/photo.jpg");
  CHECK(store.items()[36] == store.item(36));
  CHECK(store.labels()[0] == -1);
  CHECK(store.labels()[11] == 1);
  CHECK(store.row_of("person 29/photo.jpg") == 29);
  CHECK(store.row_of("person 2") == -1);
  CHECK(store.manifest() == extraction());
  CHECK(store.folder() == folder / "set");
  CHECK_FALSE(fs::exists(folder / "set.partial"));
}

TEST_CASE("a store without rows is a store") {
  TempFolder folder;
  EmbeddingStoreWriter(folder / "set", {0, 8, true, true}, extraction()).commit();
  const EmbeddingStore store = EmbeddingStore::open(folder / "set");
  CHECK(store.size() == 0);
  CHECK(store.row_of("x") == -1);
}

TEST_CASE("an item that stands twice cannot be asked for by name") {
  TempFolder folder;
  const std::vector<float> values(3, 1);
  EmbeddingStoreWriter writer(folder / "set", {3, 1, false, false}, extraction());
  writer.append({values.data(), 3, 1}, nullptr, nullptr, std::vector<std::string>{"a\t0", "b\t0", "a\t1"});
  writer.commit();
  const EmbeddingStore store = EmbeddingStore::open(folder / "set");
  CHECK(store.row_of("b") == 1);
  CHECK_THAT(error_of(ErrorKind::kData, [&] { store.row_of("a"); }), contains_text("rows 0 and 2"));
}

TEST_CASE("a writer killed at any point continues, and the store is the same to the byte") {
  TempFolder folder;
  const Rows rows;
  write_all(folder / "whole", rows);
  const auto expected = contents(folder / "whole");

  bool finished = false;
  int64_t most_rows_kept = 0;
  for (int n = 0; !finished; ++n) {
    INFO("killed at point " << n);
    const fs::path set = folder / concat("set", n);
    const pid_t child = ::fork();
    if (child == 0) {
      Failpoints failpoints(die, n);
      write_all(set, rows);
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    finished = WEXITSTATUS(status) == 0;
    if (!finished && !fs::exists(set)) {
      most_rows_kept =
          std::max(most_rows_kept, EmbeddingStoreWriter(set, rows.shape(), extraction()).rows_done());
      write_all(set, rows);
    }
    CHECK(contents(set) == expected);
    fs::remove_all(set);
    fs::remove_all(folder / concat("set", n, ".partial"));
    REQUIRE(n < 10000);
  }
  CHECK(most_rows_kept == rows.rows);
}

TEST_CASE("rows that were synced are kept, rows after them are not") {
  TempFolder folder;
  const Rows rows;
  {
    EmbeddingStoreWriter writer(folder / "set", rows.shape(), extraction());
    rows.append(writer, 0, 8);
    writer.sync();
    rows.append(writer, 8, 20);  // lost: the destructor writes them, but nothing vouches for them
  }
  EmbeddingStoreWriter writer(folder / "set", rows.shape(), extraction());
  CHECK(writer.rows_done() == 8);
}

TEST_CASE("another manifest, dimension or damaged bytes start over") {
  TempFolder folder;
  const Rows rows;
  {
    EmbeddingStoreWriter writer(folder / "set", rows.shape(), extraction());
    rows.append(writer, 0, 8);
    writer.sync();
  }
  const fs::path partial = folder / "set.partial";
  const int change = GENERATE(range(0, 7));
  StoreShape shape = rows.shape();
  Json manifest = extraction();
  if (change == 0) manifest = extraction("other");
  if (change == 1) shape.dim = 4;
  if (change == 2) shape.mirrored = false;
  if (change == 3) {
    std::string bytes = read_text_file(partial / "embeddings.npy");
    bytes[130] ^= 1;
    overwrite(partial / "embeddings.npy", bytes);
  }
  if (change == 4) fs::resize_file(partial / "items.tsv", 3);
  if (change == 5) fs::remove(partial / "classes.npy");
  if (change == 6) {
    std::string bytes = read_text_file(partial / "progress.json");
    bytes[bytes.find("\"rows\": 8") + 8] = '9';
    overwrite(partial / "progress.json", bytes);
  }
  {
    EmbeddingStoreWriter writer(folder / "set", shape, manifest);
    CHECK(writer.rows_done() == 0);
  }
  write_all(folder / "set", rows);
  CHECK(EmbeddingStore::open(folder / "set").size() == rows.rows);
}

TEST_CASE("a second writer on the same folder is refused while the first lives") {
  TempFolder folder;
  EmbeddingStoreWriter first(folder / "set", {1, 1, false, false}, extraction());
  CHECK_THAT(error_of(ErrorKind::kCannotCreate,
                      [&] {
                        EmbeddingStoreWriter(folder / "set", {1, 1, false, false}, extraction());
                      }),
             contains_text("another process"));
}

TEST_CASE("a full disk at any write leaves the old store intact") {
  TempFolder folder;
  const Rows rows;
  write_all(folder / "set", rows, extraction("old"));
  const auto old = contents(folder / "set");
  bool finished = false;
  for (int n = 0; !finished; ++n) {
    INFO("failing at point " << n);
    {
      Failpoints failpoints(disk_full, n);
      const std::string error =
          error_of(ErrorKind::kIo, [&] { write_all(folder / "set", rows, extraction("new")); });
      finished = error == "no error";
    }
    const auto now = contents(folder / "set");
    const bool is_old = now == old,
               is_new = EmbeddingStore::open(folder / "set").manifest() == extraction("new");
    CHECK((is_old || is_new));
    if (is_new) break;  // published: the failure came after the rename
    fs::remove_all(folder / "set.partial");
    REQUIRE(n < 10000);
  }
  CHECK(EmbeddingStore::open(folder / "set").manifest() == extraction("new"));
}

TEST_CASE("malformed and non-finite rows are refused before anything is written") {
  TempFolder folder;
  EmbeddingStoreWriter writer(folder / "set", {4, 2, false, true}, extraction());
  std::vector<float> values(8, 1), classes(16, 0);
  std::vector<std::string> items{"a\t0", "b\t0", "c\t0", "d\t0"};
  const auto append = [&] { writer.append({values.data(), 4, 2}, nullptr, classes.data(), items); };
  for (const char* bad : {"no label", "\t3", "a\t", "a\t1\t2", "a\t-2", "a\t1x", "a\nb\t1", "a\t1\n", ""}) {
    items[2] = bad;
    CHECK_THAT(error_of(ErrorKind::kData, append), contains_text("row 2"));
  }
  items[2] = "c\t0";
  values[5] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THAT(error_of(ErrorKind::kData, append), contains_text("embeddings.npy: row 2 (c)"));
  values[5] = 0;
  classes[15] = std::numeric_limits<float>::infinity();
  CHECK_THAT(error_of(ErrorKind::kData, append), contains_text("classes.npy: row 3 (d)"));
  classes[15] = 0;
  append();
  writer.commit();
  CHECK(EmbeddingStore::open(folder / "set").size() == 4);
}

TEST_CASE("wrong use of the writer is our bug, not the user's") {
  TempFolder folder;
  const Rows rows;
  EmbeddingStoreWriter writer(folder / "set", rows.shape(), extraction());
  CHECK_THAT(error_of(ErrorKind::kInternal, [&] { writer.commit(); }), contains_text("all its rows"));
  CHECK_THAT(error_of(ErrorKind::kInternal, [&] { rows.append(writer, 0, 4, false); }),
             contains_text("arrays"));
}

TEST_CASE("every flipped bit and every truncation of every file is detected") {
  TempFolder folder;
  const Rows rows;
  write_all(folder / "set", rows);
  const auto files = contents(folder / "set");
  CHECK(files.size() == 5);
  for (const auto& [name, bytes] : files) {
    const fs::path path = folder / "set" / name;
    ItemRandom random(1, RandomPurpose::kTest, 0, bytes.size());
    for (int trial = 0; trial < 250; ++trial) {
      // All bits of the first bytes, then bits anywhere.
      const size_t bit = trial < 100 ? static_cast<size_t>(trial) : random.below(bytes.size() * 8);
      std::string damaged = bytes;
      damaged[bit / 8] ^= static_cast<char>(1 << bit % 8);
      overwrite(path, damaged);
      INFO(name << " bit " << bit);
      CHECK_THROWS_AS(EmbeddingStore::open(folder / "set"), Error);
    }
    // The manifest's last byte is a newline that nobody needs.
    const size_t needed = bytes.size() - (name == "manifest.json" ? 1 : 0);
    for (size_t size = 0; size < needed; size += 1 + needed / 60) {
      overwrite(path, bytes.substr(0, size));
      INFO(name << " cut to " << size);
      CHECK_THROWS_AS(EmbeddingStore::open(folder / "set"), Error);
    }
    overwrite(path, bytes);
  }
  CHECK(EmbeddingStore::open(folder / "set").size() == rows.rows);
}

TEST_CASE("absent and unfinished stores say what to do") {
  TempFolder folder;
  const Rows rows;
  CHECK_THAT(error_of(ErrorKind::kMissingInput, [&] { EmbeddingStore::open(folder / "set"); }),
             contains_text("manifest.json is missing"));
  EmbeddingStoreWriter writer(folder / "set", rows.shape(), extraction());
  CHECK_THAT(error_of(ErrorKind::kMissingInput, [&] { EmbeddingStore::open(folder / "set"); }),
             contains_text("run uir-extract"));
  write_all(folder / "other", rows);
  fs::remove(folder / "other" / "embeddings_mirrored.npy");
  CHECK_THAT(error_of(ErrorKind::kMissingInput, [&] { EmbeddingStore::open(folder / "other"); }),
             contains_text("embeddings_mirrored.npy"));
}

// Files that agree with their checksums can still contradict each other: a hostile or buggy producer.
TEST_CASE("consistent checksums do not hide contradictions") {
  TempFolder folder;
  const Rows rows;
  write_all(folder / "set", rows);
  const fs::path set = folder / "set";
  // Replaces a file and makes the manifest vouch for it, and sets a field of the manifest.
  const auto forge = [&](const std::string& name, const std::string& bytes, const std::string& field,
                         const Json& value) {
    Json manifest = read_json_file(set / "manifest.json");
    if (!name.empty()) {
      overwrite(set / name, bytes);
      manifest["files"][name] = {{"bytes", bytes.size()}, {"checksum", checksum_hex(as_bytes(bytes))}};
    }
    if (!field.empty()) manifest[field] = value;
    manifest.erase("checksum");
    manifest["checksum"] = checksum_hex(as_bytes(manifest.dump()));
    overwrite(set / "manifest.json", manifest.dump());
    return error_of(ErrorKind::kData, [&] { EmbeddingStore::open(set); });
  };
  std::string npy = read_text_file(set / "embeddings.npy"), items = read_text_file(set / "items.tsv");

  SECTION("other shape") { CHECK_THAT(forge("", "", "rows", 36), contains_text("manifest says (36, 5)")); }
  SECTION("other dimension") { CHECK_THAT(forge("", "", "dim", 6), contains_text("manifest says (37, 6)")); }
  SECTION("other version") { CHECK_THAT(forge("", "", "version", 3), contains_text("version 3")); }
  SECTION("version 1 has no log odds") {
    std::string classes = npy_header(rows.rows, 3);
    for (int64_t i = 0; i < rows.rows; ++i)
      classes.append(reinterpret_cast<const char*>(rows.classes.data() + i * 4), 3 * sizeof(float));
    CHECK(forge("classes.npy", classes, "version", 1) == "no error");
    {
      const EmbeddingStore old = EmbeddingStore::open(set);
      CHECK(old.classes()->cols == 3);
      CHECK(old.classes()->row(36)[2] == 0.25F);
    }
    CHECK_THAT(forge("", "", "version", 2), contains_text("shape (37, 3), but the manifest says (37, 4)"));
  }
  SECTION("other format") { CHECK_THAT(forge("", "", "format", "x"), contains_text("not the manifest")); }
  SECTION("wrong type") { CHECK_THAT(forge("", "", "mirrored", "yes"), contains_text("'mirrored'")); }
  SECTION("no files") {
    CHECK_THAT(forge("", "", "files", Json::object()), contains_text("'embeddings.npy'"));
  }
  SECTION("line missing") {
    CHECK_THAT(forge("items.tsv", items.substr(0, items.rfind("person 36")), "", {}),
               contains_text("36 lines"));
  }
  SECTION("last line cut") {
    CHECK_THAT(forge("items.tsv", items.substr(0, items.size() - 1), "", {}), contains_text("line 37"));
  }
  SECTION("label missing") {
    CHECK_THAT(forge("items.tsv", "person 0\n" + items, "", {}), contains_text("line 1"));
  }
  SECTION("NaN") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(npy.data() + npy.size() - 4, &nan, 4);
    CHECK_THAT(forge("embeddings.npy", npy, "", {}), contains_text("row 36 (person 36/photo.jpg)"));
  }
  SECTION("infinity in the mirrored array") {
    const float infinity = -std::numeric_limits<float>::infinity();
    std::memcpy(npy.data() + 128, &infinity, 4);
    CHECK_THAT(forge("embeddings_mirrored.npy", npy, "", {}), contains_text("row 0 (person 0/photo.jpg)"));
  }
  SECTION("deeply nested") {
    overwrite(set / "manifest.json", std::string(1000000, '['));
    CHECK_THAT(error_of(ErrorKind::kData, [&] { EmbeddingStore::open(set); }), contains_text("deeper"));
  }
}

}  // namespace uir
