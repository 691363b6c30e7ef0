// Netpbm's PBM, PGM and PPM, as text (P1 to P3) and binary (P4 to P6), of any largest value.
//
// Shapes: pixels as in decode.h. A value v becomes floor(255 v / maxval + 1/2): with maxval 255 itself; of
// PBM, 1 is black. Of several pictures in a file the first counts. Comments may stand wherever white space
// may.
// Errors: kData for malformed headers, values above maxval, and files that are not whole. Threads:
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

#include "uir/base/file.h"
#include "uir/images/decode.h"

namespace uir {

struct PnmHeader {
  char kind = 0;  // '1' to '6'
  ImageSize size;
  uint32_t maxval = 1;
  size_t pixels_at = 0;  // where the values begin

  bool is_text() const { return kind <= '3'; }
  bool is_bitmap() const { return kind == '1' || kind == '4'; }
  bool is_colour() const { return kind == '3' || kind == '6'; }
};

bool is_pnm(Bytes encoded);
// Checks that as many bytes follow as there must be: all of binary files, the least of text.
PnmHeader read_pnm_header(Bytes pnm);
void decode_pnm(Bytes pnm, const PnmHeader& header, uint8_t* rgb);

}  // namespace uir
