// The sources of a config as streams of rows, all of one shape to the index builder (source_kinds.h has the
// kinds).
//
// Order of calls: info at any time; reuse, then for_each_row once, during and after it examine, look, place
// and forget for rows that it gave, then for_each_video, identities() and left_out().
// Cost: for_each_row reads lists, folders and headers of records, not images (video files: each is decoded
// once, on all threads, unless it is known); rows come one at a time, so memory stays flat. examine() reads
// one image.
// Errors: kMissingInput, kData naming file and line, record or offset.
// Threads: for_each_row from one thread; examine, look and place from any number, within for_each_row's
// callback, too.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "uir/data/config.h"
#include "uir/data/identity_table.h"
#include "uir/data/image_facts.h"
#include "uir/data/index.h"
#include "uir/data/left_out.h"
#include "uir/images/align.h"

namespace uir {

// One image of a source, before anything of it was read. Landmarks and box are in pixels of the stored image
// (align.h).
struct SourceRow {
  std::string item;
  int64_t identity = -1;  // provisional number in the source's IdentityTable; −1: none
  uint64_t offset = 0;    // as the index keeps it
  uint64_t where = 0;     // the source's note for place()
  std::optional<Landmarks> landmarks;
  std::optional<FaceBox> box;  // the part of the image that is the face
};

using RowBody = std::function<void(SourceRow)>;

class Source {
 public:
  virtual ~Source() = default;
  // Kind, path and settings of the source; name, role, shift and numbers of rows and classes are the
  // caller's.
  virtual SourceInfo info() const = 0;
  // Streams the rows in the source's own order, the same for the same files. None are no error here.
  virtual void for_each_row(const RowBody& body) = 0;
  // The row's facts; `known` (may be null) is returned without reading the image if size and time stamp are
  // the same. A header that cannot be read is a fact (ImageFacts::unreadable), no error.
  virtual ImageFacts examine(const SourceRow& row, const ImageFacts* known) const = 0;
  // kMissingInput if the file that holds the row is not there, without reading it: what examine says first.
  virtual void look(const SourceRow& /*row*/) const {}
  // What to type where no row's file is there, of which this one is the first; empty: nothing is known.
  virtual std::string remedy(const SourceRow& /*missing*/) const { return {}; }
  // For sources whose rows come out of larger files: before for_each_row, an index that knows files of the
  // source of this name; after it, what the next index is to know of them.
  virtual void reuse(const Index& /*previous*/, std::string_view /*source*/) {}
  virtual void for_each_video(
      const std::function<void(std::string_view, const SurveyedVideo&)>& /*body*/) const {}
  // Names the row in messages: file and line, or item.
  virtual std::string place(const SourceRow& row) const = 0;
  // The rows from first to last are done with: their pages may go.
  virtual void forget(const SourceRow& /*first*/, const SourceRow& /*last*/) const {}

  // Those that the rows name by provisional numbers; complete after for_each_row.
  IdentityTable& identities() { return identities_; }
  // What lies in the source's folders and gave no row; complete after for_each_row.
  const LeftOut& left_out() const { return left_out_; }

 protected:
  IdentityTable identities_;
  LeftOut left_out_;
};

// Paths of the config are absolute. kConfig for a role that the kind cannot have.
std::unique_ptr<Source> open_source(const SourceConfig& config);

}  // namespace uir
