// A video file as its container shows it: which track is the pictures, their packets in the order stored,
// what the container's tables say.
//
// libavformat never sees the file's name: it reads from an open file and may open nothing else. So no name
// is a protocol or a pattern, and nothing is fetched; formats that point to other files (playlists) are
// refused. Tracks of sound, data and subtitles, cover pictures and thumbnails are not the pictures. Of
// several tracks of pictures the first that the file marks as default counts, else the first.
// Errors: kMissingInput; kData naming the file; kIo. Threads: an object belongs to one thread at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "uir/base/file.h"

struct AVFormatContext;
struct AVPacket;
struct AVStream;

namespace uir {

// Times of a video are whole ticks from the container's start: exact, whatever the track's own time base is.
struct VideoClock {
  int64_t ticks_per_second = 1;
  int64_t ticks_per_stamp = 1, start = 0;
  // Stamps that are nonsense end at ±2^62.
  int64_t ticks(int64_t stamp) const {
    constexpr int64_t kFarthest = int64_t{1} << 62;
    int64_t time = 0;
    const bool fits =
        !__builtin_mul_overflow(stamp, ticks_per_stamp, &time) && !__builtin_sub_overflow(time, start, &time);
    return fits ? std::clamp(time, -kFarthest, kFarthest) : stamp > 0 ? kFarthest : -kFarthest;
  }
};

class Container {
 public:
  explicit Container(const fs::path& path);
  ~Container();
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  // The next packet of the pictures; false at the end. kIo.
  bool read(AVPacket& packet);
  // The next packet will be the key picture stamped `stamp`, or one before it; false: it would be another
  // one. The packet's stamp is given back.
  bool seek(int64_t& stamp);
  // Once everything was read from the front: pictures that the container's table lists and that are not in
  // the file; of containers without an exact table 1 if reading ended with an error.
  int64_t missing() const;

  const fs::path& path() const;
  AVFormatContext& context() const;
  AVStream& pictures() const;
  const VideoClock& clock() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A packet of the pictures in a container's list.
struct ListedPicture {
  int64_t stamp = 0;  // in the track's time base
  bool key = false, shown = true;
};

// All packets of the pictures by time, without decoding: one pass over the file. Empty where packets are not
// known to be the frames: other containers than MP4, MOV and Matroska, codecs with hidden pictures, packets
// without or with equal time stamps, and pictures that come before the first key picture.
std::vector<ListedPicture> list_pictures(Container& container);

}  // namespace uir
