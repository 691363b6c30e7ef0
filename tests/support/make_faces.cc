// make_faces DIR IDENTITIES IMAGES [FIRST [grey|bgr|160]]: a folder tree of synthetic faces as JPEG files,
// named as LFW's: DIR/person_0007/person_0007_0003.jpg; or without colours (PGM files), with red and blue
// swapped, or of 160x160 pixels.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "uir/base/file.h"
#include "uir/data/loader.h"
#include "uir/data/synthetic.h"
#include "uir/images/decode.h"
#include "uir/pixels/pixels.h"

namespace {

// Enlarged to 160x160, to the nearest pixel.
std::vector<uint8_t> enlarged(const std::vector<uint8_t>& rgb) {
  constexpr size_t kSide = 160, kFrom = uir::kImageSize;
  std::vector<uint8_t> large;
  for (size_t y = 0; y < kSide; ++y) {
    for (size_t x = 0; x < kSide; ++x) {
      const auto pixel =
          rgb.begin() + static_cast<ptrdiff_t>(3 * (y * kFrom / kSide * kFrom + x * kFrom / kSide));
      large.insert(large.end(), pixel, pixel + 3);
    }
  }
  return large;
}

std::vector<std::byte> grey_picture(const std::vector<uint8_t>& rgb) {
  std::string text = "P5 112 112 255\n";
  for (size_t i = 0; i < rgb.size(); i += 3) text += static_cast<char>(rgb[i + 1]);
  const uir::Bytes bytes = uir::as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> encoded(std::vector<uint8_t> rgb, std::string_view kind) {
  if (kind == "grey") return grey_picture(rgb);
  if (kind == "160") return uir::encode_jpeg(enlarged(rgb).data(), {160, 160}, 95);
  for (size_t i = 0; kind == "bgr" && i < rgb.size(); i += 3) std::swap(rgb[i], rgb[i + 2]);
  return uir::encode_jpeg(rgb.data(), {uir::kImageSize, uir::kImageSize}, 95);
}

void make_faces(const uir::fs::path& folder, int64_t identities, int64_t images, int64_t first,
                std::string_view kind) {
  const uir::SyntheticSource source;
  std::vector<uint8_t> rgb(uir::kImageBytes);
  for (int64_t identity = first; identity < first + identities; ++identity) {
    char person[32], file_name[48];
    std::snprintf(person, sizeof person, "person_%04d", static_cast<int>(identity));
    uir::create_folders(folder / person);
    for (int64_t image = 0; image < images; ++image) {
      uir::render_synthetic_face(source, identity, image, rgb.data());
      std::snprintf(file_name, sizeof file_name, "%s_%04d.%s", person, static_cast<int>(image + 1),
                    kind == "grey" ? "pgm" : "jpg");
      uir::OutputFile file(folder / person / file_name);
      file.write(uir::Bytes(encoded(rgb, kind)));
      file.close();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "make_faces DIR IDENTITIES IMAGES [FIRST [grey|bgr|160]]\n");
    return 64;
  }
  try {
    make_faces(argv[1], std::atoll(argv[2]), std::atoll(argv[3]), argc > 4 ? std::atoll(argv[4]) : 0,
               argc > 5 ? argv[5] : "");
  } catch (const uir::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return e.exit_code();
  }
}
