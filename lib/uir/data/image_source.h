// The picture of an index row as the network sees it: read, checked, decoded, aligned or resized, shifted.
//
// Rules: 112x112 images are taken as they are; others are aligned by the row's landmarks, else stretched. The
// source's shift moves images that were not aligned by landmarks (those sit on the template already). Where
// the source has BGR, red and blue are swapped. Faces in video files: data/video_images.h.
//
// Shapes: uint8 [112, 112, 3] RGB. Cost: one read, one hash and one decode per image; .rec, .bin and .tar files
// are memory-mapped, so that only files take system calls. Opening opens every source of the index.
// Errors: kData naming the item if it cannot be decoded or is not what the index saw (size and content hash
// are compared on every load); kMissingInput if the file is gone.
// Threads: const functions are thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "uir/data/index.h"

namespace uir {

// An image that cannot be loaded.
struct BadImage {
  int64_t row;
  std::string reason;  // names source and item
};

class ImageSource {
 public:
  // kMissingInput for a source whose folder or file is not there.
  explicit ImageSource(Index index);
  ~ImageSource();
  ImageSource(ImageSource&&) noexcept;

  const Index& index() const;
  // Writes kImageBytes bytes; they are undefined after an exception. 0 <= row < index().size().
  void load(int64_t row, uint8_t* rgb) const;
  // The row's encoded bytes as stored (copied), checked against the index; the pixels that load() gives for
  // rows of sources without encoded images.
  std::vector<std::byte> encoded(int64_t row) const;
  // The row as a JPEG of the network's size: the bytes as stored where they are one and the source is
  // RGB and not shifted (then true), else what load() gives, encoded with this quality.
  bool as_jpeg(int64_t row, int quality, std::vector<std::byte>& encoded) const;
  // "source 'lfw': Ann/1.jpg": how messages name a row.
  std::string describe(int64_t row) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
