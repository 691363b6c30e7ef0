// A picture of what the network will see: random faces of every source, with their labels.
//
// Shapes: one block of `rows` x `columns` faces per source under a line with its name and role; under each
// face its identity, or "-". Cost: decodes the faces shown, no others. Images that cannot be read are shown
// as a crossed box.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "uir/data/index.h"

namespace uir {

struct ContactSheetOptions {
  int columns = 10, rows = 2;
  uint64_t seed = 0;
};

// Writes a PNG by the commit protocol.
void write_contact_sheet(const Index& index, const fs::path& png, const ContactSheetOptions& options = {});

// Two faces side by side, with a caption each; row −1 shows a crossed box.
struct FacePair {
  int64_t left = -1, right = -1;
  std::string left_caption, right_caption;
};
// A sheet of pairs, up to five in a line.
void write_pair_sheet(const Index& index, std::span<const FacePair> pairs, const fs::path& png);

}  // namespace uir
