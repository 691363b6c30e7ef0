// 8-bit luma and chroma to RGB, in integers: the same bytes on every processor and with every compiler.
//
// With weights w rounded to 14 bits: Y' = ((Y - black) w_y 2^5) >> 14, what chroma adds to a channel is
// C = (w_u (U - 128) + w_v (V - 128) + 2^8) >> 9, and the channel is (Y' + C + 2^4) >> 5, cut off at 0 and
// 255: within 0.6 of the exact value. A chroma sample counts for all the pixels that share it.
// Cost: about 0.5 ns per pixel. Threads: thread-safe.
#pragma once

#include <cstdint>

#include "uir/images/decode.h"

namespace uir {

// Of one picture. Neighbouring chroma samples lie `chroma_step` bytes apart (2 where U and V alternate).
struct YuvPlanes {
  const uint8_t *y = nullptr, *u = nullptr, *v = nullptr;  // u and v: null for grey
  std::ptrdiff_t y_stride = 0, u_stride = 0, v_stride = 0;
  int chroma_step = 1;
  int halvings_x = 0, halvings_y = 0;  // of the chroma planes' sides
};

struct YuvWeights {
  int32_t y = 0, r_v = 0, g_u = 0, g_v = 0, b_u = 0, black = 0;
};
YuvWeights yuv_weights(double red, double blue, bool full_range);

// rgb: size.num_bytes() bytes.
void yuv_to_rgb(const YuvPlanes& planes, const YuvWeights& weights, ImageSize size, uint8_t* rgb);

}  // namespace uir
