// The kinds of sources, one factory each; open_source (sources.h) chooses among them.
// Errors: kConfig for a role that the kind cannot have, kMissingInput and kData for what it finds.
#pragma once

#include <memory>

#include "uir/data/sources.h"

namespace uir {

std::unique_ptr<Source> make_source(const FolderSource& config, Role role);
std::unique_ptr<Source> make_source(const ListSource& config, Role role);
// Rows stand video by video in the order of the list, frames of a video in natural order of their names;
// items are 'video/frame'. A video without frames is kData naming the video and its line.
std::unique_ptr<Source> make_source(const FramesSource& config, Role role);
std::unique_ptr<Source> make_source(const RecordIoSource& config, Role role);
std::unique_ptr<Source> make_source(const BinSource& config, Role role);
std::unique_ptr<Source> make_source(const SyntheticSource& config, Role role);
// Rows stand video by video in the order of the list, faces of a video by frame; items are 'video/frame',
// with '_face' behind all but a frame's first. A video without a face is kData or left out with a warning
// (allow_faceless).
std::unique_ptr<Source> make_source(const VideosSource& config, Role role);

// Rows stand in the order of the shards and of the samples in them; items are the images' names in the tar.
std::unique_ptr<Source> make_source(const WebdatasetSource& config, Role role);

// What Source::info starts from.
inline SourceInfo source_info(SourceKind kind, const fs::path& path) {
  SourceInfo info;
  info.kind = kind;
  info.path = path;
  return info;
}

}  // namespace uir
