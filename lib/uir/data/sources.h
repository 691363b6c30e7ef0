// The sources of a config as streams of rows, all of one shape to the index builder.
//
// Cost: rows come one at a time in the source's own order; examine() reads one image and is what threads do.
// Errors: kMissingInput, kData naming file and line, record or offset.
// Threads: for_each_row from one thread; examine and place from any number.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "uir/data/config.h"
#include "uir/data/identity_table.h"
#include "uir/data/index.h"
#include "uir/images/align.h"
#include "uir/images/image_folder.h"

namespace uir {

// One image of a source, before anything of it was read.
struct SourceRow {
  std::string item;
  int64_t identity = -1;  // provisional number in the source's IdentityTable; −1: none
  uint64_t offset = 0;    // as the index keeps it
  uint64_t where = 0;     // the source's note for place()
  std::optional<Landmarks> landmarks;
  std::optional<FaceBox> box;  // the part of the image that is the face
};

// What an image's bytes tell.
struct ImageFacts {
  uint32_t size = 0;
  int64_t mtime = 0;
  ContentHash hash;
  std::array<uint16_t, 2> pixels{0, 0};
  std::string unreadable;  // why the header cannot be read; empty if it can
  bool reused = false;     // taken from what was known
};

class Source {
 public:
  virtual ~Source() = default;
  // Kind, path and settings of the source; name, role and shift are the caller's.
  virtual SourceInfo info() const = 0;
  // Streams the rows; kData if there are none.
  virtual void for_each_row(const std::function<void(SourceRow)>& body) = 0;
  // The row's facts; `known` (may be null) is returned without reading the image if size and time stamp are the same.
  virtual ImageFacts examine(const SourceRow& row, const ImageFacts* known) const = 0;
  // For sources whose rows come out of larger files: before for_each_row, an index that knows files of the source of this
  // name; after it, what the next index is to know of them.
  virtual void reuse(const Index& /*previous*/, std::string_view /*source*/) {}
  virtual void for_each_video(
      const std::function<void(std::string_view, const VideoFacts&)>& /*body*/) const {}
  // Names the row in messages: file and line, or item.
  virtual std::string place(const SourceRow& row) const = 0;
  // The rows from first to last are done with: their pages may go.
  virtual void forget(const SourceRow& /*first*/, const SourceRow& /*last*/) const {}

  IdentityTable& identities() { return identities_; }

 protected:
  IdentityTable identities_;
};

std::unique_ptr<Source> open_source(const SourceConfig& config);

// Hash, size and header of an encoded image.
ImageFacts facts_of(Bytes encoded, int64_t mtime);
// The same of an image file; `known` as in Source::examine.
ImageFacts examine_file(const ImageFolder& folder, const std::string& item, const ImageFacts* known);

}  // namespace uir
