// What a film is, by its frames and its bytes, not by what it announces.
#pragma once

#include <map>
#include <utility>

#include "uir/timeline/timeline.h"

namespace uir {

// Frames per second by the distances of neighbouring frames [ticks] (how many of each): by their mean where
// they are all alike but for the rounding of stamps, else by the commonest one; one of the usual rates
// (24000/1001, 25, 30000/1001 …) where it is that.
struct FrameRate {
  int64_t num = 0, den = 1;
  bool constant = false;
};
FrameRate frame_rate_of(const std::map<int64_t, int64_t>& distances, int64_t ticks_per_second);

// Size and checksum of the first and the last MiB: enough to notice another file, and quick.
struct FileIdentity {
  uint64_t bytes = 0;
  std::string checksum;
};
FileIdentity identity_of_file(const fs::path& path);

}  // namespace uir
