#include "uir/formats/recordio.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "uir/base/error.h"
#include "uir/formats/text_lines.h"

namespace uir {
namespace {

constexpr uint32_t kMagic = 0xced7230a;
constexpr uint32_t kMaxPartLength = (1u << 29) - 1;
constexpr size_t kPartHeaderSize = 8;
constexpr size_t kImageHeaderSize = 24;
enum PartFlag : uint32_t { kWhole = 0, kFirst = 1, kMiddle = 2, kLast = 3 };

template <class T>
T read_value(Bytes bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

uint64_t padded(uint64_t length) { return (length + 3) / 4 * 4; }

struct Part {
  uint32_t flag = 0;
  Bytes payload;
  uint64_t next = 0;
};

Part read_part(const MappedFile& file, uint64_t offset) {
  const Bytes bytes = file.bytes();
  const auto refuse = [&](const auto&... what) {
    fail(ErrorKind::kData, file.path().string(), ": record at offset ", offset, ": ", what...);
  };
  if (offset > bytes.size() || bytes.size() - offset < kPartHeaderSize) {
    refuse("beyond the end of the file (", bytes.size(),
           " bytes); the file is truncated or does not belong to its .idx");
  }
  const auto magic = read_value<uint32_t>(bytes, offset);
  if (magic != kMagic)
    refuse("does not start with RecordIO's magic number; the file is damaged or does not belong to its .idx");
  const auto word = read_value<uint32_t>(bytes, offset + 4);
  const uint64_t length = word & kMaxPartLength;
  const uint64_t begin = offset + kPartHeaderSize;
  if (length > bytes.size() - begin)
    refuse(length, " bytes, but only ", bytes.size() - begin, " follow; the file is truncated");
  // The padding of the last record may be cut off without harm.
  return {word >> 29, bytes.subspan(begin, length), std::min<uint64_t>(begin + padded(length), bytes.size())};
}

// Appends the parts of a record that begins with `first`, the magic put back between them.
uint64_t join_parts(const MappedFile& file, uint64_t offset, const Part& first,
                    std::vector<std::byte>& buffer) {
  buffer.assign(first.payload.begin(), first.payload.end());
  Part part = first;
  while (part.flag != kLast) {
    const uint64_t at = part.next;
    part = read_part(file, at);
    if (part.flag != kMiddle && part.flag != kLast) {
      fail(ErrorKind::kData, file.path().string(), ": record at offset ", offset, ": part at ", at,
           " has flag ", part.flag, ", expected 2 or 3; the file is damaged");
    }
    const auto* magic = reinterpret_cast<const std::byte*>(&kMagic);
    buffer.insert(buffer.end(), magic, magic + sizeof kMagic);
    buffer.insert(buffer.end(), part.payload.begin(), part.payload.end());
  }
  return part.next;
}

ImageRecord parse_image(const MappedFile& file, uint64_t offset, Bytes payload, uint64_t next) {
  ImageRecord record;
  record.next_offset = next;
  if (payload.size() < kImageHeaderSize) {
    fail(ErrorKind::kData, file.path().string(), ": record at offset ", offset, ": ", payload.size(),
         " bytes, an image record has at least ", kImageHeaderSize);
  }
  record.header = {read_value<uint32_t>(payload, 0), read_value<float>(payload, 4),
                   read_value<uint64_t>(payload, 8), read_value<uint64_t>(payload, 16)};
  payload = payload.subspan(kImageHeaderSize);
  const uint64_t label_bytes = uint64_t{record.header.flag} * sizeof(float);
  if (label_bytes > payload.size()) {
    fail(ErrorKind::kData, file.path().string(), ": record at offset ", offset, ": ", record.header.flag,
         " labels do not fit into its ", payload.size(), " bytes");
  }
  record.labels = payload.first(label_bytes);
  record.image = payload.subspan(label_bytes);
  return record;
}

// The shard's number and count in "<name>-00003-of-00010.rec"; false for another name.
bool parse_shard_name(const std::string& file, std::string& name, size_t& shard, size_t& num_shards) {
  constexpr std::string_view pattern = "-00000-of-00000.rec";
  if (file.size() <= pattern.size()) return false;
  const size_t begin = file.size() - pattern.size();
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = file[begin + i];
    if (pattern[i] == '0' ? c < '0' || c > '9' : c != pattern[i]) return false;
  }
  name = file.substr(0, begin);
  shard = std::stoul(file.substr(begin + 1, 5));
  num_shards = std::stoul(file.substr(begin + 10, 5));
  return true;
}

// --- Keys --------------------------------------------------------------------------------------------------

// The records of one shard: key and offset within the shard, in order.
using RecordSequence = std::function<void(const std::function<void(uint64_t key, uint64_t offset)>&)>;

RecordSequence sequence_of_idx(const fs::path& idx, uint64_t rec_size) {
  return [=](const auto& body) {
    TextLines lines(idx);
    while (lines.next()) {
      const std::string_view line = lines.line();
      uint64_t key = 0, offset = 0;
      const char* end = line.data() + line.size();
      const auto [tab, key_error] = std::from_chars(line.data(), end, key);
      bool valid = key_error == std::errc() && tab != end && *tab == '\t';
      if (valid) {
        const auto [rest, error] = std::from_chars(tab + 1, end, offset);
        valid = error == std::errc() && rest == end;
      }
      if (!valid) lines.refuse("expected 'key<TAB>offset'");
      if (offset >= rec_size) {
        lines.refuse("offset ", offset, " is beyond the ", rec_size,
                     " bytes of the .rec; .rec and .idx do not belong together");
      }
      body(key, offset);
    }
  };
}

template <class Body>
void scan(const RecordFile& file, size_t shard, Body&& body) {
  std::vector<std::byte> buffer;
  const uint64_t begin = file.shard_begin(shard), end = file.shard_begin(shard + 1);
  uint64_t dropped = begin, position = 0;
  for (uint64_t offset = begin; offset < end; ++position) {
    const ImageRecord record = file.record(offset, buffer);
    body(position, record.header.id, offset - begin);
    offset = record.next_offset;
    if (offset - dropped > (uint64_t{64} << 20)) {
      file.drop(dropped, offset);
      dropped = offset;
    }
  }
}

// Record ids serve as keys if they are unique and one is 0; positions otherwise.
bool ids_are_keys(const RecordFile& file, size_t shard) {
  std::vector<uint64_t> ids;
  scan(file, shard, [&](uint64_t, uint64_t id, uint64_t) { ids.push_back(id); });
  std::sort(ids.begin(), ids.end());
  return !ids.empty() && ids.front() == 0 && std::adjacent_find(ids.begin(), ids.end()) == ids.end();
}

RecordSequence sequence_by_scanning(const RecordFile& file, size_t shard) {
  const bool use_ids = ids_are_keys(file, shard);
  return [&file, shard, use_ids](const auto& body) {
    scan(file, shard,
         [&](uint64_t position, uint64_t id, uint64_t offset) { body(use_ids ? id : position, offset); });
  };
}

RecordSequence sequence_of_shard(const RecordFile& file, size_t shard, const fs::path& idx) {
  const fs::path beside = fs::path(file.shard_path(shard)).replace_extension(".idx");
  const uint64_t size = file.shard_begin(shard + 1) - file.shard_begin(shard);
  if (!idx.empty()) return sequence_of_idx(idx, size);
  return fs::exists(beside) ? sequence_of_idx(beside, size) : sequence_by_scanning(file, shard);
}

// --- Images ------------------------------------------------------------------------------------------------

// What record 0 announces, where it has labels and no image (InsightFace): images end before a key. As a
// float32 it may stand for any key between two.
struct AnnouncedEnd {
  bool given = false;
  double least = 0, most = 0;
};

AnnouncedEnd announced_end(const fs::path& rec, const ImageRecord& record) {
  if (record.header.flag == 0 || !record.image.empty()) return {};
  const float end = record.label();
  if (!(end >= 1 && end < 0x1p63f))
    fail(ErrorKind::kData, rec.string(), ": record with key 0 says that images end at key ", end);
  const auto midway = [&](float to) { return (double{end} + double{std::nextafter(end, to)}) / 2; };
  return {true, midway(0), midway(0x1p64f)};
}

// One shard on its way through its records.
class ShardImages {
 public:
  ShardImages(const RecordFile& file, size_t shard, const fs::path& idx)
      : file_(file), shard_(shard), records_(sequence_of_shard(file, shard, idx)) {
    records_([this](uint64_t key, uint64_t offset) {
      if (key == 0) end_ = announced_end(file_.shard_path(shard_), record_at(offset));
    });
  }

  void visit(const std::function<void(const RecordEntry&, const ImageRecord&)>& body, RecordSurvey& survey) {
    uint64_t named = 0;
    records_([&](uint64_t key, uint64_t offset) {
      const ImageRecord record = record_at(offset);
      named += record.next_offset - file_.shard_begin(shard_) - offset;
      if (is_image(key, record, survey)) body({shard_, key, file_.shard_begin(shard_) + offset}, record);
    });
    const uint64_t size = file_.shard_begin(shard_ + 1) - file_.shard_begin(shard_);
    if (named < size) survey.unnamed_bytes += size - named;
  }

 private:
  ImageRecord record_at(uint64_t offset) { return file_.record(file_.shard_begin(shard_) + offset, buffer_); }

  bool is_image(uint64_t key, const ImageRecord& record, RecordSurvey& survey) const {
    if (!record.image.empty()) {
      if (end_.given && static_cast<double>(key) + 1 > end_.most && survey.behind_end++ == 0)
        survey.end = static_cast<uint64_t>(end_.least + 0.5);
      return true;
    }
    if (record.header.flag == 0) return true;  // an image that is not there
    if (end_.given) return key != 0 && static_cast<double>(key) < end_.least;
    if (survey.without_image++ == 0) survey.first_without_image = key;
    return false;
  }

  const RecordFile& file_;
  const size_t shard_;
  const RecordSequence records_;
  AnnouncedEnd end_;
  std::vector<std::byte> buffer_;
};

}  // namespace

float ImageRecord::label(size_t i) const {
  return header.flag == 0 ? header.label : read_value<float>(labels, i * sizeof(float));
}

std::string shard_name(const std::string& name, size_t shard, size_t num_shards) {
  char suffix[48];
  std::snprintf(suffix, sizeof suffix, "-%05zu-of-%05zu.rec", shard, num_shards);
  return name + suffix;
}

std::vector<fs::path> shard_paths(const fs::path& rec) {
  std::string name;
  size_t shard = 0, num_shards = 0;
  if (!parse_shard_name(rec.filename().string(), name, shard, num_shards) || shard != 0) return {rec};
  std::vector<fs::path> paths;
  for (size_t i = 0; i < num_shards; ++i)
    paths.push_back(rec.parent_path() / shard_name(name, i, num_shards));
  return paths;
}

RecordFile::RecordFile(const fs::path& path) {
  shard_begin_.push_back(0);
  for (const fs::path& shard : shard_paths(path)) {
    shards_.emplace_back(shard);
    shard_begin_.push_back(shard_begin_.back() + shards_.back().bytes().size());
  }
}

size_t RecordFile::shard_of(uint64_t offset) const {
  const auto after = std::upper_bound(shard_begin_.begin() + 1, shard_begin_.end() - 1, offset);
  return static_cast<size_t>(after - shard_begin_.begin()) - 1;
}

ImageRecord RecordFile::record(uint64_t offset, std::vector<std::byte>& buffer) const {
  const size_t shard = shard_of(offset);
  const MappedFile& file = shards_[shard];
  const uint64_t local = offset - shard_begin_[shard];
  const Part first = read_part(file, local);
  if (first.flag == kWhole) return parse_image(file, local, first.payload, shard_begin_[shard] + first.next);
  if (first.flag != kFirst) {
    fail(ErrorKind::kData, file.path().string(), ": record at offset ", local, ": begins with flag ",
         first.flag, ", expected 0 or 1; the file is damaged or does not belong to its .idx");
  }
  const uint64_t next = join_parts(file, local, first, buffer);
  return parse_image(file, local, buffer, shard_begin_[shard] + next);
}

void RecordFile::drop(uint64_t begin, uint64_t end) const {
  for (size_t shard = 0; shard < shards_.size(); ++shard) {
    const uint64_t first = std::max(begin, shard_begin_[shard]),
                   last = std::min(end, shard_begin_[shard + 1]);
    if (first < last) shards_[shard].drop(first - shard_begin_[shard], last - first);
  }
}

RecordSurvey for_each_image_record(const RecordFile& file, const fs::path& idx,
                                   const std::function<void(const RecordEntry&, const ImageRecord&)>& body) {
  if (!idx.empty() && file.num_shards() > 1) {
    fail(ErrorKind::kConfig, idx.string(), ": one .idx cannot describe the ", file.num_shards(),
         " shards of ", file.shard_path(0).string(), "; leave idx empty");
  }
  RecordSurvey survey;
  for (size_t shard = 0; shard < file.num_shards(); ++shard)
    ShardImages(file, shard, idx).visit(body, survey);
  return survey;
}

// --- Writer ------------------------------------------------------------------------------------------------

RecordWriter::RecordWriter(const fs::path& rec, const fs::path& idx) : rec_(rec), idx_(idx) {}

void RecordWriter::write(uint64_t key, float label, Bytes image) {
  write_record(key, {0, label, key, 0}, {}, image);
}

void RecordWriter::write(uint64_t key, std::span<const float> labels, Bytes image) {
  write_record(key, {static_cast<uint32_t>(labels.size()), 0, key, 0}, labels, image);
}

void RecordWriter::write_record(uint64_t key, const RecordHeader& header, std::span<const float> labels,
                                Bytes image) {
  payload_.resize(kImageHeaderSize);
  std::memcpy(payload_.data(), &header.flag, 4);
  std::memcpy(payload_.data() + 4, &header.label, 4);
  std::memcpy(payload_.data() + 8, &header.id, 8);
  std::memcpy(payload_.data() + 16, &header.id2, 8);
  const Bytes label_bytes = std::as_bytes(labels);
  payload_.insert(payload_.end(), label_bytes.begin(), label_bytes.end());
  payload_.insert(payload_.end(), image.begin(), image.end());
  idx_.write(concat(key, '\t', rec_.size(), '\n'));
  write_parts();
}

// Splits the payload at every aligned word that looks like the magic, so that readers can find records again.
void RecordWriter::write_parts() {
  const Bytes payload(payload_);
  if (payload.size() > kMaxPartLength) {
    fail(ErrorKind::kData, rec_.path().string(), ": a record of ", payload.size(),
         " bytes; RecordIO holds at most ", kMaxPartLength);
  }
  size_t begin = 0;
  for (size_t i = 0; i + 4 <= payload.size(); i += 4) {
    if (read_value<uint32_t>(payload, i) != kMagic) continue;
    write_part(begin == 0 ? kFirst : kMiddle, payload.subspan(begin, i - begin));
    begin = i + 4;
  }
  write_part(begin == 0 ? kWhole : kLast, payload.subspan(begin));
}

void RecordWriter::write_part(uint32_t flag, Bytes payload) {
  constexpr std::array<std::byte, 3> zeros{};
  const std::array<uint32_t, 2> header{kMagic, flag << 29 | static_cast<uint32_t>(payload.size())};
  rec_.write_values(std::span<const uint32_t>(header));
  rec_.write(payload);
  rec_.write(Bytes(zeros).first(padded(payload.size()) - payload.size()));
}

void RecordWriter::close() {
  rec_.close();
  idx_.close();
}

}  // namespace uir
