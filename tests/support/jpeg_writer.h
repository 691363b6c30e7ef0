// JPEG files of every kind that libjpeg writes, for tests of reading them; it ends the program on what it
// cannot write.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <jpeglib.h>  // needs <cstdio>

#include "uir/base/file.h"
#include "uir/images/decode.h"

struct JpegKind {
  J_COLOR_SPACE space = JCS_YCbCr;
  std::vector<std::array<int, 2>> sampling{
      {2, 2}, {1, 1}, {1, 1}};  // horizontal, vertical; as many as components
  int quality = 90;
  bool progressive = false, arithmetic = false, separate_scans = false;
  unsigned restart_interval = 0;  // in MCUs
};

// Of RGB pixels, of which other colour spaces take the first values as they are.
inline std::vector<std::byte> write_jpeg(const uir::RgbImage& image, const JpegKind& kind) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &out, &size);
  jpeg.image_width = static_cast<JDIMENSION>(image.size.width);
  jpeg.image_height = static_cast<JDIMENSION>(image.size.height);
  const size_t components = kind.sampling.size();
  const bool converts = kind.space == JCS_YCbCr || kind.space == JCS_GRAYSCALE || kind.space == JCS_RGB;
  jpeg.input_components = converts ? 3 : static_cast<int>(components);
  jpeg.in_color_space = converts ? JCS_RGB : kind.space == JCS_YCCK ? JCS_CMYK : kind.space;
  jpeg_set_defaults(&jpeg);
  if (kind.space != JCS_UNKNOWN) jpeg_set_colorspace(&jpeg, kind.space);
  jpeg_set_quality(&jpeg, kind.quality, TRUE);
  for (size_t i = 0; i < components; ++i) {
    jpeg.comp_info[i].h_samp_factor = kind.sampling[i][0];
    jpeg.comp_info[i].v_samp_factor = kind.sampling[i][1];
  }
  jpeg.restart_interval = kind.restart_interval;
  jpeg.arith_code = kind.arithmetic;
  if (kind.progressive) jpeg_simple_progression(&jpeg);
  std::vector<jpeg_scan_info> scans(components);
  for (size_t i = 0; i < components; ++i) scans[i] = {1, {static_cast<int>(i)}, 0, 63, 0, 0};
  if (kind.separate_scans) {
    jpeg.scan_info = scans.data();
    jpeg.num_scans = static_cast<int>(components);
  }
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<uint8_t> row(image.size.num_bytes() / static_cast<size_t>(image.size.height) * 2);
  while (jpeg.next_scanline < jpeg.image_height) {
    const uint8_t* pixels = image.pixels.data() + size_t{jpeg.next_scanline} * jpeg.image_width * 3;
    for (size_t x = 0; x < jpeg.image_width; ++x) {
      for (size_t c = 0; c < static_cast<size_t>(jpeg.input_components); ++c)
        row[x * static_cast<size_t>(jpeg.input_components) + c] = pixels[x * 3 + std::min<size_t>(c, 2)];
    }
    JSAMPROW line = row.data();
    jpeg_write_scanlines(&jpeg, &line, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), out, size);
  std::free(out);
  return bytes;
}

struct JpegMarker {
  int code;   // 0xc0 of a baseline frame …
  size_t at;  // where its 0xff stands
};

// All of a well-formed JPEG but the restarts, the end included.
inline std::vector<JpegMarker> jpeg_markers(uir::Bytes jpeg) {
  const auto byte = [&](size_t i) { return std::to_integer<int>(jpeg[i]); };
  const auto ends_scan = [](int code) { return code != 0 && (code < 0xd0 || code > 0xd7); };
  std::vector<JpegMarker> markers;
  for (size_t at = 2; at + 1 < jpeg.size();) {
    const int code = byte(at + 1);
    markers.push_back({code, at});
    if (code == 0xd9) break;
    at += 2 + static_cast<size_t>(byte(at + 2) * 256 + byte(at + 3));
    while (code == 0xda && at + 1 < jpeg.size() && (byte(at) != 0xff || !ends_scan(byte(at + 1)))) ++at;
  }
  return markers;
}
