#include "uir/identify/film_facts.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace uir {

FrameRate frame_rate_of(const std::map<int64_t, int64_t>& distances, int64_t ticks_per_second) {
  int64_t frames = 0;
  double ticks = 0;
  for (const auto& [length, count] : distances) {
    frames += count;
    ticks += static_cast<double>(length) * static_cast<double>(count);
  }
  if (frames == 0 || distances.begin()->first <= 0) return {25, 1, false};
  // Stamps in whole milliseconds (Matroska) or 1/90000 s go up and down by one.
  const double stamp = std::max(1.0, 0.0011 * static_cast<double>(ticks_per_second));
  const bool constant = static_cast<double>(distances.rbegin()->first - distances.begin()->first) <= stamp;
  const auto& commonest =
      *std::ranges::max_element(distances, {}, [](const auto& distance) { return distance.second; });
  const double distance =
      constant ? ticks / static_cast<double>(frames) : static_cast<double>(commonest.first);
  const double rate = static_cast<double>(ticks_per_second) / distance;
  constexpr std::array<std::pair<int64_t, int64_t>, 16> kUsual{{{24000, 1001},
                                                                {24, 1},
                                                                {25, 1},
                                                                {30000, 1001},
                                                                {30, 1},
                                                                {48, 1},
                                                                {50, 1},
                                                                {60000, 1001},
                                                                {60, 1},
                                                                {10, 1},
                                                                {12, 1},
                                                                {15000, 1001},
                                                                {15, 1},
                                                                {20, 1},
                                                                {100, 1},
                                                                {120, 1}}};
  const auto distance_to = [&](const auto& usual) {
    return std::abs(static_cast<double>(usual.first) / static_cast<double>(usual.second) / rate - 1);
  };
  const auto& nearest = *std::ranges::min_element(kUsual, {}, distance_to);
  // 24 and 23.976 differ by 0.1 %.
  if (distance_to(nearest) < (constant ? 0.0004 : 0.02)) return {nearest.first, nearest.second, constant};
  return {std::max<int64_t>(1, std::llround(rate * 1000)), 1000, constant};
}

FileIdentity identity_of_file(const fs::path& path) {
  constexpr size_t kEnds = size_t{1} << 20;
  const MappedFile file(path);
  const Bytes bytes = file.bytes();
  Checksum checksum;
  checksum.add(bytes.first(std::min(kEnds, bytes.size())));
  if (bytes.size() > kEnds) checksum.add(bytes.last(std::min(kEnds, bytes.size() - kEnds)));
  return {bytes.size(), checksum_hex(checksum.value())};
}

}  // namespace uir
