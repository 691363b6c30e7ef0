// make_faces DIR IDENTITIES IMAGES [FIRST]: a folder tree of synthetic faces as JPEG files, named as LFW's:
// DIR/person_0007/person_0007_0003.jpg.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "uir/base/file.h"
#include "uir/data/loader.h"
#include "uir/data/synthetic.h"
#include "uir/images/decode.h"
#include "uir/pixels/pixels.h"

namespace {

void make_faces(const uir::fs::path& folder, int64_t identities, int64_t images, int64_t first) {
  const uir::SyntheticSource source;
  std::vector<uint8_t> rgb(uir::kImageBytes);
  for (int64_t identity = first; identity < first + identities; ++identity) {
    char person[32], file_name[48];
    std::snprintf(person, sizeof person, "person_%04d", static_cast<int>(identity));
    uir::create_folders(folder / person);
    for (int64_t image = 0; image < images; ++image) {
      uir::render_synthetic_face(source, identity, image, rgb.data());
      std::snprintf(file_name, sizeof file_name, "%s_%04d.jpg", person, static_cast<int>(image + 1));
      uir::OutputFile file(folder / person / file_name);
      const auto jpeg = uir::encode_jpeg(rgb.data(), {uir::kImageSize, uir::kImageSize}, 95);
      file.write(uir::Bytes(jpeg));
      file.close();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "make_faces DIR IDENTITIES IMAGES [FIRST]\n");
    return 64;
  }
  try {
    make_faces(argv[1], std::atoll(argv[2]), std::atoll(argv[3]), argc > 4 ? std::atoll(argv[4]) : 0);
  } catch (const uir::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return e.exit_code();
  }
}
