#include "uir/train/run_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>

#include "uir/base/error.h"
#include "uir/base/json_text.h"
#include "uir/base/log.h"

namespace uir {
namespace {

std::string reason() { return std::strerror(errno); }

// The line's "step"; none if it is not one of ours.
std::optional<int64_t> step_of(std::string_view line) {
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) return std::nullopt;
  return json["step"].get<int64_t>();
}

// Copies the whole lines of steps before first_step; returns how many lines were broken.
int64_t copy_lines_before(std::string_view text, int64_t first_step, OutputFile& out) {
  int64_t broken = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const bool whole = line.size() < text.size();
    const auto step = whole ? step_of(line) : std::nullopt;
    if (!step) ++broken;
    if (step && *step < first_step) out.write(text.substr(0, line.size() + 1));
    text.remove_prefix(line.size() + whole);
  }
  return broken;
}

void keep_lines_before(const fs::path& path, int64_t first_step) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return;
  const MappedFile old(path);
  AtomicFile kept(path);
  const int64_t broken = copy_lines_before(as_text(old.bytes()), first_step, kept.out());
  kept.commit();
  if (broken > 0) log_warning(path.string(), ": dropped ", broken, " torn or unreadable line(s)");
}

}  // namespace

RunLog::RunLog(const fs::path& path, int64_t first_step) : path_(path) {
  if (path.has_parent_path()) create_folders(path.parent_path());
  keep_lines_before(path, first_step);
  fd_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) fail(ErrorKind::kCannotCreate, path.string(), ": cannot open for appending: ", reason());
}

RunLog::~RunLog() { ::close(fd_); }

void RunLog::write(const Json& line) {
  ensure(line.is_object() && line.contains("step") && line["step"].is_number_integer(),
         "a log line has a step");
  const std::string text = json_text(line) + "\n";
  struct stat before {};
  const bool known = ::fstat(fd_, &before) == 0;
  ssize_t written = 0;
  do {
    written = ::write(fd_, text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(text.size())) return;
  // The disk is full, perhaps in the middle of the line: take the part back.
  const std::string why = written < 0 ? reason() : std::strerror(ENOSPC);
  const bool mended = written <= 0 || (known && ::ftruncate(fd_, before.st_size) == 0);
  fail(ErrorKind::kIo, path_.string(), ": cannot write the step log: ", why,
       mended ? "" : " (its last line is torn; resuming mends that)");
}

int64_t RunLog::count(int64_t step, const std::string& key) const {
  std::ifstream in(path_);
  int64_t found = 0;
  for (std::string line; std::getline(in, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.value("step", int64_t{-1}) == step && json.contains(key)) ++found;
  }
  return found;
}

void RunLog::sync() {
  if (::fdatasync(fd_) != 0) fail(ErrorKind::kIo, path_.string(), ": cannot sync the step log: ", reason());
}

}  // namespace uir
