#include "uir/images/jpeg.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <jerror.h>
#include <jpeglib.h>  // needs <cstdio>

#include "uir/base/error.h"
#include "uir/images/header_bytes.h"

namespace uir {
namespace {

constexpr int kMostScans = 500;  // small progressive files of more would take minutes

// libjpeg's functions do not return where they fail: its handler of errors must jump out of them. What
// libjpeg hands to the handlers is the address of `base`, so it comes first.
struct JpegErrors {
  jpeg_error_mgr base;
  std::jmp_buf back;
  const char* reason;  // ours, in place of libjpeg's; may be null
};
static_assert(std::is_standard_layout_v<JpegErrors>);

[[noreturn]] void jump_back(j_common_ptr jpeg) {
  std::longjmp(reinterpret_cast<JpegErrors*>(jpeg->err)->back, 1);
}

// Bytes that belong to nothing, but before a segment or the end: before a restart they are pixels that came
// out wrong.
bool is_harmless(const jpeg_error_mgr& message) {
  const int marker = message.msg_parm.i[1];
  return message.msg_code == JWRN_EXTRANEOUS_DATA && (marker < 0xd0 || marker > 0xd7);
}

// Levels below 0 are warnings: the picture is damaged.
void judge_message(j_common_ptr jpeg, int level) {
  if (level < 0 && !is_harmless(*jpeg->err)) jump_back(jpeg);
}

void print_nothing(j_common_ptr) {}

void limit_scans(j_common_ptr jpeg) {
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= kMostScans) return;
  reinterpret_cast<JpegErrors*>(jpeg->err)->reason = "more than 500 scans";
  jump_back(jpeg);
}

jpeg_error_mgr* set_up(JpegErrors& errors) {
  jpeg_std_error(&errors.base);
  errors.base.error_exit = jump_back;
  errors.base.emit_message = judge_message;
  errors.base.output_message = print_nothing;
  return &errors.base;
}

// The only place that is jumped back to: every call of libjpeg that may fail is made by `calls`. False if it
// was left by a jump. What is jumped over are libjpeg's frames and that of `calls`, which must own nothing.
template <class Calls>
bool attempt(JpegErrors& errors, const Calls& calls) {
  static_assert(std::is_trivially_destructible_v<Calls>);
  errors.reason = nullptr;
  if (setjmp(errors.back) != 0) return false;
  calls();
  return true;
}

template <class Jpeg>
std::string message_of(Jpeg& jpeg, const JpegErrors& errors) {
  if (errors.reason) return errors.reason;
  std::array<char, JMSG_LENGTH_MAX> text{};
  errors.base.format_message(reinterpret_cast<j_common_ptr>(&jpeg), text.data());
  return text.data();
}

[[noreturn]] void fail_kind(std::string_view kind) {
  fail(ErrorKind::kData, kind, "; convert it to a usual JPEG or to PNG first");
}

[[noreturn]] void fail_not_whole(std::string_view why) { fail(ErrorKind::kData, "not a whole JPEG: ", why); }

// Processes of ITU T.81 by their frame's marker.
std::string_view unsupported_process(int marker) {
  if (marker == 0xf7) return "a JPEG-LS image";
  if (marker == 0xc3 || marker == 0xcb) return "a lossless JPEG";
  if ((marker >= 0xc5 && marker <= 0xcf) || marker == 0xde) return "a hierarchical JPEG";
  return "";
}

// Why libjpeg left: what it does not know by name, all else as damage.
[[noreturn]] void fail_decoding(jpeg_decompress_struct& jpeg, const JpegErrors& errors) {
  const int detail = errors.base.msg_parm.i[0];
  if (!errors.reason) {
    switch (errors.base.msg_code) {
      case JERR_OUT_OF_MEMORY:
        throw std::bad_alloc();
      case JERR_BAD_PRECISION:
        fail_kind(concat("a JPEG of ", detail, " bits per value"));
      case JERR_ARITH_NOTIMPL:
        fail_kind("a JPEG with arithmetic coding");
      case JERR_CONVERSION_NOTIMPL:
        fail_kind("a JPEG whose colours this libjpeg cannot convert to RGB");
      case JERR_SOF_UNSUPPORTED:
      case JERR_UNKNOWN_MARKER:
        if (const auto process = unsupported_process(detail); !process.empty()) fail_kind(process);
        break;
      default:
        break;
    }
  }
  fail_not_whole(message_of(jpeg, errors));
}

std::span<const jpeg_component_info> components_of(const jpeg_decompress_struct& jpeg) {
  return {jpeg.comp_info, static_cast<size_t>(jpeg.num_components)};
}

// Kinds that the header tells, which libjpeg would refuse later, or decode into something else than RGB.
void check_kind(const jpeg_decompress_struct& jpeg) {
  if (jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK)
    fail(ErrorKind::kData, "a CMYK JPEG; convert it to RGB first");
  if (jpeg.num_components != 1 && jpeg.num_components != 3)
    fail_kind(concat("a JPEG of ", jpeg.num_components, " components"));
  if (jpeg.data_precision != 8) fail_kind(concat("a JPEG of ", jpeg.data_precision, " bits per value"));
  for (const jpeg_component_info& component : components_of(jpeg)) {
    if (jpeg.max_h_samp_factor % component.h_samp_factor || jpeg.max_v_samp_factor % component.v_samp_factor)
      fail_kind("a JPEG whose planes differ in resolution by no whole number");
  }
}

// With Huffman coding a block takes at least one bit, so a JPEG of more blocks than bits cannot be whole.
void check_possible(const jpeg_decompress_struct& jpeg, size_t bytes) {
  uint64_t blocks = 0;
  for (const jpeg_component_info& component : components_of(jpeg))
    blocks = std::max(blocks, uint64_t{component.width_in_blocks} * component.height_in_blocks);
  if (!jpeg.arith_code && blocks > uint64_t{8} * bytes)
    fail_not_whole(
        concat(jpeg.image_width, "x", jpeg.image_height, " pixels cannot be in ", bytes, " bytes"));
}

// Somewhere behind the header: other bytes may follow.
void check_end(const jpeg_decompress_struct& jpeg) {
  const std::string_view rest(reinterpret_cast<const char*>(jpeg.src->next_input_byte),
                              jpeg.src->bytes_in_buffer);
  if (rest.rfind("\xff\xd9") == std::string_view::npos) fail_not_whole("its end is missing");
}

}  // namespace

struct JpegDecoder::State {
  State() { jpeg.err = set_up(errors); }
  ~State() { jpeg_destroy_decompress(&jpeg); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  JpegErrors errors{};
  jpeg_decompress_struct jpeg{};
  jpeg_progress_mgr progress{};
};

JpegDecoder::JpegDecoder(Bytes encoded) : state_(std::make_unique<State>()) {
  State& state = *state_;
  jpeg_decompress_struct& jpeg = state.jpeg;
  const bool read = attempt(state.errors, [&] {
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(encoded.data()), encoded.size());
    jpeg_read_header(&jpeg, TRUE);
  });
  if (!read) fail_decoding(jpeg, state.errors);
  check_kind(jpeg);
  size_ = checked_size(jpeg.image_width, jpeg.image_height);
  check_possible(jpeg, encoded.size());
  check_end(jpeg);
}

JpegDecoder::~JpegDecoder() = default;

void JpegDecoder::decode(uint8_t* rgb) {
  State& state = *state_;
  jpeg_decompress_struct& jpeg = state.jpeg;
  state.progress.progress_monitor = limit_scans;
  jpeg.progress = &state.progress;
  jpeg.out_color_space = JCS_RGB;
  jpeg.dct_method = JDCT_ISLOW;
  jpeg.do_fancy_upsampling = TRUE;
  const size_t stride = size_t{3} * jpeg.image_width;
  const bool decoded = attempt(state.errors, [&] {
    jpeg_start_decompress(&jpeg);
    while (jpeg.output_scanline < jpeg.output_height) {
      std::array<JSAMPROW, 16> rows;
      const JDIMENSION count = std::min<JDIMENSION>(rows.size(), jpeg.output_height - jpeg.output_scanline);
      for (JDIMENSION i = 0; i < count; ++i) rows[i] = rgb + stride * (jpeg.output_scanline + i);
      jpeg_read_scanlines(&jpeg, rows.data(), count);
    }
    jpeg_finish_decompress(&jpeg);
  });
  if (!decoded) fail_decoding(jpeg, state.errors);
}

namespace {

// TurboJPEG's choices, which all JPEG files that were written before have: chroma at half resolution, and the
// fast transform below quality 96.
void set_up(jpeg_compress_struct& jpeg, ImageSize size, int quality) {
  jpeg.image_width = static_cast<JDIMENSION>(size.width);
  jpeg.image_height = static_cast<JDIMENSION>(size.height);
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);  // YCbCr 4:2:0
  jpeg_set_quality(&jpeg, quality, TRUE);
  jpeg.dct_method = quality < 96 ? JDCT_FASTEST : JDCT_ISLOW;
}

struct JpegEncoder {
  JpegEncoder() { jpeg.err = set_up(errors); }
  ~JpegEncoder() { jpeg_destroy_compress(&jpeg); }
  JpegEncoder(const JpegEncoder&) = delete;
  JpegEncoder& operator=(const JpegEncoder&) = delete;

  JpegErrors errors{};
  jpeg_compress_struct jpeg{};
};

// TurboJPEG's bound of a 4:2:0 JPEG: three bytes a pixel of whole blocks, and the header.
size_t most_bytes(ImageSize size) {
  const auto whole = [](int side) { return (static_cast<size_t>(side) + 15) / 16 * 16; };
  return whole(size.width) * whole(size.height) * 3 + 2048;
}

}  // namespace

std::vector<std::byte> encode_jpeg(const uint8_t* rgb, ImageSize size, int quality) {
  std::vector<std::byte> encoded(most_bytes(size));
  auto* const buffer = reinterpret_cast<unsigned char*>(encoded.data());
  unsigned char* out = buffer;
  unsigned long num_bytes = encoded.size();  // NOLINT(google-runtime-int): libjpeg's type
  JpegEncoder encoder;
  jpeg_compress_struct& jpeg = encoder.jpeg;
  const bool done = attempt(encoder.errors, [&] {
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out, &num_bytes);
    set_up(jpeg, size, quality);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
      auto* row = const_cast<JSAMPROW>(rgb + size_t{3} * jpeg.image_width * jpeg.next_scanline);
      jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
  });
  if (!done) {
    fail(ErrorKind::kInternal, "libjpeg cannot encode ", size.width, "x", size.height,
         " pixels: ", message_of(jpeg, encoder.errors));
  }
  ensure(out == buffer, "no JPEG is larger than its bound");
  encoded.resize(num_bytes);
  return encoded;
}

}  // namespace uir
