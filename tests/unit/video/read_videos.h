// Videos as the tests of the reader make, read and damage them.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "support/errors.h"
#include "support/video_files.h"
#include "uir/video/video_reader.h"

namespace uir {

// Without loss: what is read is what was drawn, to the byte.
inline VideoRecipe lossless() {
  VideoRecipe recipe;
  recipe.codec = "png";
  recipe.pixel_format = "rgb24";
  return recipe;
}

inline VideoRecipe mpeg4(int b_frames, int gop) {
  VideoRecipe recipe;
  recipe.codec = "mpeg4";
  recipe.pixel_format = "yuv420p";
  recipe.options = {
      {"bf", std::to_string(b_frames)}, {"g", std::to_string(gop)}, {"qmin", "2"}, {"qmax", "4"}};
  return recipe;
}

inline VideoRecipe h264(const std::string& parameters) {
  VideoRecipe recipe = mpeg4(0, 0);
  recipe.codec = "libx264";
  recipe.options = {{"preset", "veryfast"}, {"crf", "18"}, {"x264-params", "threads=1:" + parameters}};
  return recipe;
}

struct Seen {
  std::vector<FrameFacts> facts;
  std::vector<RgbImage> pictures;
  int64_t lost = 0, ticks_per_second = 0;
};

inline Seen read_all(const fs::path& path, int threads = 1) {
  VideoReader reader(path, threads);
  Seen seen;
  seen.ticks_per_second = reader.ticks_per_second();
  while (reader.next()) {
    seen.facts.push_back(reader.facts());
    seen.pictures.push_back(reader.picture());
  }
  seen.lost = reader.lost();
  return seen;
}

inline std::vector<double> seconds_of(const Seen& seen) {
  std::vector<double> seconds;
  for (const FrameFacts& facts : seen.facts)
    seconds.push_back(static_cast<double>(facts.ticks) / static_cast<double>(seen.ticks_per_second));
  return seconds;
}

inline std::string refusal(const fs::path& path) {
  const auto error = error_of([&] {
    VideoReader reader(path);
    while (reader.next()) {
    }
  });
  return error && error->kind() == ErrorKind::kData ? error->what() : "";
}

inline void overwrite(const fs::path& path, double from, double share) {
  const auto size = static_cast<double>(fs::file_size(path));
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(from * size));
  const std::string zeros(static_cast<size_t>(share * size), '\0');
  file.write(zeros.data(), static_cast<std::streamsize>(zeros.size()));
}

inline void cut(const fs::path& path, double share) {
  fs::resize_file(path, static_cast<uintmax_t>(share * static_cast<double>(fs::file_size(path))));
}

}  // namespace uir
