#include "uir/train/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

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
  const double now = seconds_since_epoch();
  path_ = folder / concat("events.out.tfevents.", static_cast<int64_t>(now), ".uir.", ::getpid());
  fd_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) fail(ErrorKind::kCannotCreate, path_.string(), ": cannot create: ", std::strerror(errno));
  append(record_of(ProtobufWriter().float64(kWallTime, now).text(kFileVersion, "brain.Event:2")) +
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
