#include "uir/train/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <system_error>

#include "uir/base/error.h"
#include "uir/formats/protobuf_writer.h"

namespace uir {
namespace {

// Field numbers of event.proto and summary.proto.
enum EventField : uint32_t { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7 };
constexpr uint32_t kSummaryValue = 1, kValueTag = 1, kSimpleValue = 2;
constexpr uint32_t kSessionStatus = 1, kSessionStart = 1;

double seconds_since_epoch() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void append_little_endian(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

// Rotated and shifted, so that the sum of data that holds sums is no special value.
uint32_t masked(uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8u; }

std::string record_of(const ProtobufWriter& event) {
  std::string record;
  append_little_endian(record, event.bytes().size(), 8);
  append_little_endian(record, masked(crc32c(record)), 4);
  record += event.bytes();
  append_little_endian(record, masked(crc32c(event.bytes())), 4);
  return record;
}

// --- Earlier files -----------------------------------------------------------------------------------------

constexpr std::string_view kStem = "events.out.tfevents.", kMark = ".uir.", kVersion = "brain.Event:2";

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// events.out.tfevents.<time>.uir.<process>
bool is_our_name(std::string_view name) {
  if (!name.starts_with(kStem)) return false;
  name.remove_prefix(kStem.size());
  const size_t mark = name.find(kMark);
  return mark != std::string_view::npos && is_number(name.substr(0, mark)) &&
         is_number(name.substr(mark + kMark.size()));
}

template <class T>
bool take(std::string_view& text, T& value) {
  if (text.size() < sizeof value) return false;
  std::memcpy(&value, text.data(), sizeof value);
  text.remove_prefix(sizeof value);
  return true;
}

bool take_varint(std::string_view& text, uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && !text.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(text.front());
    text.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// What a record says, as far as it matters here.
struct Event {
  int64_t step = 0;
  bool summary = false;
  std::string_view version;
};

std::optional<Event> parse_event(std::string_view message) {
  Event event;
  while (!message.empty()) {
    uint64_t key = 0, value = 0;
    if (!take_varint(message, key)) return std::nullopt;
    if ((key & 7) == 1) {  // eight bytes
      if (!take(message, value)) return std::nullopt;
    } else if ((key & 7) == 0) {
      if (!take_varint(message, value)) return std::nullopt;
      if (key >> 3 == kStep) event.step = static_cast<int64_t>(value);
    } else {
      if ((key & 7) != 2 || !take_varint(message, value) || value > message.size()) return std::nullopt;
      if (key >> 3 == kFileVersion) event.version = message.substr(0, value);
      event.summary |= key >> 3 == kSummary;
      message.remove_prefix(value);
    }
  }
  return event;
}

// The record at the front, which is removed; none at the end and where it is torn or damaged.
std::optional<Event> take_event(std::string_view& text) {
  std::string_view rest = text;
  uint64_t length = 0;
  uint32_t length_sum = 0, sum = 0;
  if (!take(rest, length) || !take(rest, length_sum) ||
      masked(crc32c(text.substr(0, sizeof length))) != length_sum || length > rest.size())
    return std::nullopt;
  const std::string_view message = rest.substr(0, length);
  rest.remove_prefix(length);
  if (!take(rest, sum) || masked(crc32c(message)) != sum) return std::nullopt;
  text = rest;
  return parse_event(message);
}

// Where what the file says of first_step or later steps begins; steps only grow in a file. None: nowhere, or
// the file is none of ours.
struct Cut {
  uint64_t at = 0;
  bool nothing_before = true;
};
std::optional<Cut> find_cut(std::string_view text, int64_t first_step) {
  const size_t size = text.size();
  const auto head = take_event(text);
  if (!head || head->version != kVersion) return std::nullopt;
  Cut cut;
  for (;;) {
    cut.at = size - text.size();
    const auto event = take_event(text);
    if (!event) return std::nullopt;
    if (event->summary && event->step >= first_step) return cut;
    cut.nothing_before &= !event->summary;
  }
}

void cut_earlier_files(const fs::path& folder, int64_t first_step) {
  std::vector<fs::path> ours;
  std::error_code error;  // of a folder that cannot be read; writing there then fails by itself
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (is_our_name(entry.path().filename().string()) && entry.is_regular_file(error))
      ours.push_back(entry.path());
  }
  for (const fs::path& path : ours) {
    const auto cut = find_cut(as_text(MappedFile(path).bytes()), first_step);
    if (!cut) continue;
    error.clear();
    cut->nothing_before ? void(fs::remove(path, error)) : fs::resize_file(path, cut->at, error);
    if (error)
      fail(ErrorKind::kIo, path.string(), ": cannot take back steps from ", first_step,
           " on: ", error.message());
  }
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> remainders{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t remainder = i;
      for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ (remainder & 1 ? 0x82f63b78u : 0);
      remainders[i] = remainder;
    }
    return remainders;
  }();
  uint32_t crc = ~0u;
  for (const char byte : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<uint8_t>(byte)) & 255];
  return ~crc;
}

EventFile::EventFile(const fs::path& folder, int64_t first_step) {
  create_folders(folder);
  cut_earlier_files(folder, first_step);
  const double now = seconds_since_epoch();
  path_ = folder / concat(kStem, static_cast<int64_t>(now), kMark, ::getpid());
  fd_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) fail(ErrorKind::kCannotCreate, path_.string(), ": cannot create: ", std::strerror(errno));
  append(record_of(ProtobufWriter().float64(kWallTime, now).text(kFileVersion, kVersion)) +
         record_of(ProtobufWriter()
                       .float64(kWallTime, now)
                       .integer(kStep, first_step)
                       .message(kSessionLog, ProtobufWriter().integer(kSessionStatus, kSessionStart))));
}

EventFile::~EventFile() { ::close(fd_); }

void EventFile::write(int64_t step, const Scalars& scalars) {
  ProtobufWriter summary;
  for (const auto& [tag, value] : scalars) {
    summary.message(kSummaryValue,
                    ProtobufWriter().text(kValueTag, tag).float32(kSimpleValue, static_cast<float>(value)));
  }
  append(record_of(ProtobufWriter()
                       .float64(kWallTime, seconds_since_epoch())
                       .integer(kStep, step)
                       .message(kSummary, summary)));
}

void EventFile::append(const std::string& records) {
  ssize_t written = 0;
  do {
    written = ::write(fd_, records.data(), records.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(records.size())) return;
  fail(ErrorKind::kIo, path_.string(), ": cannot write: ", std::strerror(written < 0 ? errno : ENOSPC));
}

}  // namespace uir
