#include "uir/align/align_worker.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

#include "uir/base/error.h"
#include "uir/data/video_facts.h"
#include "uir/pixels/pixels.h"
#include "uir/video/frame_choice.h"
#include "uir/video/video_reader.h"

namespace uir {
namespace {

constexpr uint64_t kMaxFileSize = uint64_t{1} << 28;  // of one photo

void read_file(const ImageFolder& folder, const std::string& item, std::vector<std::byte>& bytes) {
  const ImageFile file = folder.open(item);
  const uint64_t size = file.facts().size;
  if (size > kMaxFileSize) fail(ErrorKind::kData, size, " bytes; a photo may have ", kMaxFileSize);
  bytes.resize(size);
  if (file.read(bytes, size) != size) fail(ErrorKind::kData, "became shorter while it was read");
}

// The shortest text that reads back as the same number.
void append_number(std::string& line, float value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  (line += '\t').append(text.data(), end);
}

std::string landmarks_line(const std::string& picture, const AlignedFace& face, const std::string& name) {
  std::string line = picture;
  if (face.found) {
    for (const float edge : face.found->box) append_number(line, edge);
    append_number(line, face.found->score);
  } else {
    line += "\t\t\t\t\t";
  }
  for (const float coordinate : face.landmarks) append_number(line, coordinate);
  return concat(line, '\t', name, '\n');
}

// Reasons come from decoders, too: one line each.
std::string not_found_line(const std::string& picture, std::string reason) {
  std::ranges::replace_if(
      reason, [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
  return concat(picture, '\t', reason, '\n');
}

// Who wants few frames a second waits for no others, where the container lists them.
FrameList list_frames(const VideosSource& sampling, const fs::path& path) {
  if (sampling.frames_per_second > 0) {
    if (auto listed = read_frame_list(path)) return *std::move(listed);
  }
  return decode_frame_list(path);
}

std::vector<int64_t> frames_to_take(const VideosSource& sampling, const FrameList& list) {
  const FrameChoice choice(sampling_of(sampling), list.ticks_per_second, list.frames);
  std::vector<int64_t> frames;
  for (int64_t frame = 0; frame < std::ssize(list.frames); ++frame) {
    if (choice.takes(frame)) frames.push_back(frame);
  }
  return choice.thin(std::move(frames));
}

const RgbImage& picture_at(VideoReader& reader, int64_t ticks) {
  if (!reader.seek(ticks) || reader.facts().ticks != ticks)
    fail(ErrorKind::kData, "the frame cannot be decoded");
  return reader.picture();
}

}  // namespace

AlignWorker::AlignWorker(const FaceAlignerConfig& aligner, FaceEncoding encoding, const AlignOutput& out)
    : config_(aligner), encoding_(encoding), out_(out), aligner_(aligner) {}

template <class Align>
void AlignWorker::add_picture(const std::string& name, const std::string& stem, AlignedUnit& result,
                              Align&& align) {
  ++result.counts.pictures;
  std::vector<AlignedFace> faces;
  try {
    faces = align();
  } catch (const Error& error) {
    if (!concerns_image(error)) throw;
    result.not_found += not_found_line(name, error.what());
    return;
  }
  ++result.counts.with_faces;
  for (size_t i = 0; i < faces.size(); ++i) {
    const bool numbered = config_.faces == FaceChoice::kAll;
    const std::string file = concat(stem, numbered ? concat('_', i) : "", encoding_.png ? ".png" : ".jpg");
    out_.write_face(file, encoded(faces[i]));
    result.landmarks += landmarks_line(name, faces[i], file);
    count(faces[i], result.counts);
  }
}

AlignedUnit AlignWorker::photo(const ImageFolder& folder, const AlignUnit& unit) {
  AlignedUnit result;
  add_picture(unit.name, unit.stem, result, [&] {
    read_file(folder, unit.name, bytes_);
    decode_image(bytes_, image_);
    return aligner_.align(image_, orientation_of(bytes_), unit.landmarks);
  });
  return result;
}

AlignedUnit AlignWorker::video(const VideosSource& sampling, const AlignUnit& unit) {
  AlignedUnit result;
  try {
    const FrameList list = list_frames(sampling, unit.path);
    check_complete(std::ssize(list.frames), list.lost, unit.path, sampling.missing_frames);
    VideoReader reader(unit.path);
    for (const int64_t frame : frames_to_take(sampling, list)) {
      const int64_t ticks = list.frames[static_cast<size_t>(frame)].ticks;
      char number[24];
      std::snprintf(number, sizeof number, "%06lld", static_cast<long long>(frame));
      add_picture(concat(unit.name, '/', number), concat(unit.stem, '/', number), result, [&] {
        return aligner_.align(picture_at(reader, ticks), Orientation::kAsStored, std::nullopt);
      });
    }
  } catch (const Error& error) {
    if (!concerns_image(error)) throw;
    ++result.counts.pictures;
    result.not_found += not_found_line(unit.name, error.what());
  }
  if (result.counts.faces > 0) result.filelist = concat(unit.name, ' ', result.counts.faces, '\n');
  return result;
}

std::vector<std::byte> AlignWorker::encoded(const AlignedFace& face) const {
  constexpr ImageSize kSize{static_cast<int>(kImageSize), static_cast<int>(kImageSize)};
  return encoding_.png ? encode_png(face.rgb.data(), kSize)
                       : encode_jpeg(face.rgb.data(), kSize, encoding_.quality);
}

void AlignWorker::count(const AlignedFace& face, AlignCounts& counts) const {
  ++counts.faces;
  if (face.found && face.found->corrected) ++counts.corrected;
  counts.eyes += face.distance.eyes;
  counts.points += face.distance.points;
  if (!config_.check) return;
  ++counts.checked;
  if (!face.again) return;
  ++counts.found_again;
  counts.eyes_again += face.again->eyes;
  counts.points_again += face.again->points;
}

}  // namespace uir
