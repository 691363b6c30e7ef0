// The rows of a source of video files as the network sees them.
//
// Rule: a face with landmarks is aligned by them; else its box is cut out and stretched; else the whole
// frame, which is taken as it is if it has 112x112 pixels and stretched if not. The source's shift moves what
// was not aligned.
//
// Cost: threads share one decoder per video, so reading rows in order decodes every video once whatever the
// number of threads: who is first at the decoder also prepares the faces before its own that others have yet
// to ask for. Reading rows in random order decodes from the key picture before each frame, or where the file
// does not allow that (video/video_reader.h) from its start: for training, take the frames out first.
// Memory: 16 open videos with at most 64 prepared faces each.
// Errors: kData if the file is not the one that was indexed (content hash, compared whenever it is opened).
// Threads: load is thread-safe.
#pragma once

#include <cstdint>
#include <memory>

#include "uir/data/index.h"

namespace uir {

class VideoImages {
 public:
  // Both must outlive this.
  VideoImages(const Index& index, const SourceInfo& source);
  ~VideoImages();

  // Writes kImageBytes bytes.
  void load(int64_t row, uint8_t* rgb) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
