// Packets of a container become decoded frames, in software, in the order shown.
//
// The frames' bytes do not depend on the number of threads. A frame that the decoder reports as damaged is
// lost, and so are those that may be built on it: every later one up to the next key frame, and those shown
// before it that were decoded after it (B-frames), as far as the file's stamps tell. Until the first key
// picture nothing is lost: a recording may begin anywhere.
// Errors: kData naming the file if there is no decoder; kIo. Threads: an object belongs to one thread at a
// time.
#pragma once

#include <cstdint>
#include <memory>

struct AVFrame;

namespace uir {

class Container;

class Decoder {
 public:
  Decoder(Container& container, int threads);
  ~Decoder();

  // The next frame that is not damaged; null at the end. Valid until the next call.
  const AVFrame* next();
  // The container was moved to another key picture.
  void restart();
  // Frames stamped before this need not be given, where that is exact and saves work.
  void skip_before(int64_t stamp);
  int64_t lost() const;  // frames so far

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
