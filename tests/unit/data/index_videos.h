// Videos as sources, as the tests make indexes of them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "index_files.h"
#include "support/errors.h"
#include "support/faces_on_disk.h"
#include "support/temp_folder.h"
#include "support/video_files.h"
#include "uir/data/image_source.h"
#include "uir/pixels/pixels.h"

namespace uir {

using Pixels = std::vector<uint8_t>;

inline SourceConfig source_of(const std::string& name, Role role, decltype(SourceConfig::kind) kind) {
  SourceConfig source;
  source.name = name;
  source.role = role;
  source.kind = std::move(kind);
  return source;
}

inline VideosSource videos_in(const fs::path& root) {
  VideosSource source;
  source.root.value = root.string();
  return source;
}

// The message of the error of kind kData; empty if there is none.
template <class F>
std::string data_error(F&& f) {
  const auto error = error_of(f);
  return error && error->kind() == ErrorKind::kData ? error->what() : "";
}

inline Index index_videos(const TempFolder& folder, const VideosSource& videos, Role role = Role::kTest) {
  return make_index(folder / "index", {source_of("videos", role, videos)});
}

inline Pixels load(const ImageSource& images, int64_t row) {
  Pixels rgb(kImageBytes);
  images.load(row, rgb.data());
  return rgb;
}

}  // namespace uir
