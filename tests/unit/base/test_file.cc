#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "uir/base/file.h"
#include "uir/base/json.h"

using namespace uir;

namespace {

std::string text_of(const fs::path& path) { return read_text_file(path); }

// What crash_point kills at: set before fork.
std::string crash_at;
void crash_handler(std::string_view name) {
  if (name == crash_at) ::_exit(9);
}

// Runs f in a child process that dies at the failpoint; true if it did die there.
template <class F>
bool crashes_at(const std::string& point, F&& f) {
  const pid_t child = ::fork();
  if (child == 0) {
    crash_at = point;
    set_failpoint_handler(crash_handler);
    f();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 9;
}

void write_folder(const fs::path& path, const std::string& text) {
  AtomicFolder folder(path);
  OutputFile file(folder.path() / "content");
  file.write(text);
  file.close();
  folder.commit();
}

}  // namespace

TEST_CASE("checksums in pieces equal checksums of the whole") {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  Checksum pieces;
  pieces.add(as_bytes(std::string_view(text).substr(0, 7)));
  pieces.add(as_bytes(std::string_view(text).substr(7)));
  CHECK(pieces.value() == checksum64(as_bytes(text)));
  CHECK(checksum_hex(as_bytes("")) == "2d06800538d394c2");  // XXH3_64bits of nothing, from its specification
  CHECK(content_hash(as_bytes("a")) != content_hash(as_bytes("b")));
}

TEST_CASE("an atomic file appears at commit and not before") {
  TempFolder folder;
  const fs::path path = folder / "out.txt";
  {
    AtomicFile file(path);
    file.out().write(std::string_view("half"));
    CHECK_FALSE(fs::exists(path));
  }
  CHECK(fs::is_empty(folder.path()));
  write_file_atomically(path, "one");
  write_file_atomically(path, "two");
  CHECK(text_of(path) == "two");
}

TEST_CASE("a crash at any point of a commit leaves the old or the new content, never half") {
  TempFolder folder;
  const fs::path file = folder / "file", dir = folder / "dir";
  for (const std::string point : {"file.write", "file.close", "file.before_rename"}) {
    write_file_atomically(file, "old");
    REQUIRE(crashes_at(point, [&] { write_file_atomically(file, "new"); }));
    CHECK(text_of(file) == "old");
  }
  for (const std::string point :
       {"file.write", "file.close", "folder.before_rename", "folder.after_rename"}) {
    write_folder(dir, "old");
    REQUIRE(crashes_at(point, [&] { write_folder(dir, "new"); }));
    CHECK(text_of(dir / "content") == (point == "folder.after_rename" ? "new" : "old"));
  }
  write_folder(dir, "last");  // the next writer removes what the dead ones left
  write_file_atomically(file, "last");
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 2);
}

TEST_CASE("write errors are kIo and name the path") {
  const auto error = error_of([] {
    OutputFile file("/dev/full");
    file.write(std::string_view("text"));
    file.close();
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kIo);
  CHECK(std::string(error->what()).find("/dev/full") != std::string::npos);
  CHECK(kind_of([] { AtomicFile file("/proc/nowhere/file"); }) == ErrorKind::kCannotCreate);
}

TEST_CASE("missing and odd inputs") {
  TempFolder folder;
  CHECK(kind_of([&] { MappedFile file(folder / "absent"); }) == ErrorKind::kMissingInput);
  CHECK(kind_of([&] { MappedFile file(folder.path()); }) == ErrorKind::kMissingInput);
  write_file_atomically(folder / "empty", "");
  CHECK(MappedFile(folder / "empty").bytes().empty());
  write_file_atomically(folder / "big", "12345");
  CHECK(kind_of([&] { read_text_file(folder / "big", 4); }) == ErrorKind::kData);
  CHECK(kind_of([&] { read_json_file(folder / "empty"); }) == ErrorKind::kData);
  CHECK(kind_of([] { json_at<int>(Json{{"a", "text"}}, "a", "x.json"); }) == ErrorKind::kData);
}

TEST_CASE("paths of lists stay inside their root") {
  TempFolder folder;
  fs::create_directories(folder / "root/sub");
  write_file_atomically(folder / "root/sub/a.jpg", "a");
  write_file_atomically(folder / "secret", "s");
  fs::create_symlink(folder / "secret", folder / "root/link.jpg");
  fs::create_symlink("sub", folder / "root/inner");
  const fs::path root = folder / "root";
  CHECK(resolve_inside(root, "sub/a.jpg") == root / "sub/a.jpg");
  CHECK(resolve_inside(root, "sub/../sub/a.jpg") == root / "sub/a.jpg");
  CHECK(resolve_inside(root, "inner/a.jpg") == root / "inner/a.jpg");
  CHECK(kind_of([&] { join_inside(root, "../secret"); }) == ErrorKind::kData);
  CHECK(kind_of([&] { join_inside(root, "sub/../../secret"); }) == ErrorKind::kData);
  CHECK(kind_of([&] { join_inside(root, "/etc/passwd"); }) == ErrorKind::kData);
  CHECK(kind_of([&] { join_inside(root, ""); }) == ErrorKind::kData);
  CHECK(kind_of([&] { join_inside(root, std::string_view("a\0b", 3)); }) == ErrorKind::kData);
  CHECK(kind_of([&] { resolve_inside(root, "link.jpg"); }) == ErrorKind::kData);
  CHECK(kind_of([&] { resolve_inside(root, "absent.jpg"); }) == ErrorKind::kMissingInput);
}
