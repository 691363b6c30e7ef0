#include "uir/data/color_check.h"

#include <algorithm>
#include <vector>

#include "index_files.h"

using namespace uir;

namespace {

std::vector<uint8_t> plain(uint8_t red, uint8_t green, uint8_t blue) {
  std::vector<uint8_t> rgb;
  for (int64_t i = 0; i < kImageSize * kImageSize; ++i) rgb.insert(rgb.end(), {red, green, blue});
  return rgb;
}

FaceColors colors(int64_t skin, int64_t swapped, int64_t grey) {
  FaceColors found;
  for (int64_t i = 0; i < skin; ++i) add_face(found, plain(200, 150, 120).data());
  for (int64_t i = 0; i < swapped; ++i) add_face(found, plain(120, 150, 200).data());
  for (int64_t i = 0; i < grey; ++i) add_face(found, plain(150, 150, 152).data());
  return found;
}

}  // namespace

TEST_CASE("Colours are said to be swapped where nearly all faces are blue", "[color_check]") {
  CHECK_FALSE(colors(0, 0, 0).swapped());
  CHECK_FALSE(colors(100, 0, 0).swapped());
  CHECK_FALSE(colors(0, 0, 100).swapped());
  CHECK(colors(0, 100, 0).swapped());
  CHECK(colors(2, 18, 0).swapped());
  CHECK_FALSE(colors(3, 18, 0).swapped());  // odd light
  CHECK_FALSE(colors(0, 19, 0).swapped());  // too few
  CHECK(colors(0, 20, 60).swapped());
  CHECK_FALSE(colors(0, 20, 61).swapped());  // nearly all grey
}

TEST_CASE("Drawn faces are looked at as they are loaded", "[color_check]") {
  const TempFolder folder;
  write_faces(folder / "faces", 10, 3);
  SourceConfig source = folder_source("known", Role::kLabeled, folder / "faces");
  CHECK(color_warnings(make_index(folder / "index", {source})).empty());
  source.color_order = ColorOrder::kBgr;
  const Index swapped = make_index(folder / "swapped", {source});
  const std::vector<std::string> warnings = color_warnings(swapped);
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], contains_text("source 'known'") && contains_text("color_order: rgb"));

  const ImageSource loaded(swapped), plain_colors(Index::open(folder / "index"));
  std::vector<uint8_t> bgr(kImageBytes), rgb(kImageBytes);
  loaded.load(4, bgr.data());
  plain_colors.load(4, rgb.data());
  for (size_t i = 0; i < rgb.size(); i += 3) std::swap(rgb[i], rgb[i + 2]);
  CHECK(bgr == rgb);
  CHECK(swapped.fingerprint() != Index::open(folder / "index").fingerprint());
}
