// Frames as a player shows them: turned, stretched, in the right colours.
#include "uir/video/video_reader.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <vector>

#include "read_videos.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"

extern "C" {
#include <libavutil/frame.h>
}

using namespace uir;

TEST_CASE("All eight display matrices, in MP4 and MOV", "[video_reader]") {
  TempFolder folder;
  const std::array<int, 4> matrices[] = {{1, 0, 0, 1}, {-1, 0, 0, 1}, {1, 0, 0, -1}, {-1, 0, 0, -1},
                                         {0, 1, 1, 0}, {0, 1, -1, 0}, {0, -1, 1, 0}, {0, -1, -1, 0}};
  for (const auto& matrix : matrices) {
    const auto& [a, b, c, d] = matrix;
    CAPTURE(a, b, c, d);
    VideoRecipe recipe = lossless();
    recipe.matrix = matrix;
    write_video(folder / "a.mov", recipe, 2, {40, 24});
    const cv::Mat stored = drawn_frame(1, {40, 24});
    cv::Mat shown(a ? cv::Size(40, 24) : cv::Size(24, 40), CV_8UC3);
    const int left = std::min(0, a * 39) + std::min(0, c * 23),
              top = std::min(0, b * 39) + std::min(0, d * 23);
    for (int y = 0; y < 24; ++y) {
      for (int x = 0; x < 40; ++x)
        shown.at<cv::Vec3b>(b * x + d * y - top, a * x + c * y - left) = stored.at<cv::Vec3b>(y, x);
    }
    const Seen seen = read_all(folder / "a.mov");
    REQUIRE(seen.pictures.size() == 2);
    CHECK(distance(seen.pictures[1], shown) == 0);
    CHECK(seen.facts[1].width == shown.cols);
  }
}

TEST_CASE("Pixels that are not square are stretched, and then turned", "[video_reader]") {
  TempFolder folder;
  VideoRecipe recipe = lossless();
  recipe.paint = [](AVFrame& frame, int) {  // a ramp from left to right
    for (int y = 0; y < frame.height; ++y) {
      for (int x = 0; x < frame.width; ++x)
        std::memset(frame.data[0] + y * frame.linesize[0] + 3 * x, 2 * x, 3);
    }
  };
  const auto first = [&](const char* name, std::array<int, 2> aspect, std::array<int, 4> matrix) {
    recipe.aspect = aspect;
    recipe.matrix = matrix;
    write_video(folder / name, recipe, 1, {90, 60});
    return read_all(folder / name).pictures.at(0);
  };
  for (const char* name : {"a.mkv", "a.mov"}) {
    CAPTURE(name);
    const RgbImage wide = first(name, {64, 45}, {1, 0, 0, 1});
    REQUIRE(wide.size == ImageSize{128, 60});
    for (int x = 4; x < 124; ++x) {  // the middle of shown pixel x lies at (x + 0.5) 45/64 of the stored row
      const double expected = 2 * ((x + 0.5) * 90 / 128 - 0.5);
      REQUIRE(std::abs(wide.pixels[static_cast<size_t>(30 * 128 + x) * 3] - expected) < 1.5);
    }
    CHECK(first(name, {8, 9}, {1, 0, 0, 1}).size == ImageSize{90, 68});
  }
  const RgbImage turned = first("b.mov", {2, 1}, {0, 1, -1, 0});
  REQUIRE(turned.size == ImageSize{60, 180});  // the ramp now goes down
  CHECK(turned.pixels[3 * 60 * 10] < turned.pixels[3 * 60 * 100]);
}

TEST_CASE("Colours by the stream's matrix and range, untagged by its size", "[video_reader]") {
  TempFolder folder;
  struct Case {
    const char* format;
    int space;  // 1 BT.709, 5 and 6 BT.601, 9 BT.2020, 2 untagged
    cv::Size size;
    double red, blue;
    bool full;
  };
  constexpr double k601[] = {0.299, 0.114}, k709[] = {0.2126, 0.0722};
  const Case cases[] = {{"yuv420p", 2, {320, 240}, k601[0], k601[1], false},
                        {"yuv420p", 2, {1280, 16}, k709[0], k709[1], false},
                        {"yuv420p", 2, {1278, 576}, k601[0], k601[1], false},
                        {"yuv420p", 2, {16, 578}, k709[0], k709[1], false},
                        {"yuv420p", 1, {320, 240}, k709[0], k709[1], false},
                        {"yuv420p", 6, {1280, 720}, k601[0], k601[1], false},
                        {"yuv422p", 5, {64, 64}, k601[0], k601[1], false},
                        {"yuv444p", 9, {64, 64}, 0.2627, 0.0593, false},
                        {"yuv420p10le", 1, {64, 64}, k709[0], k709[1], false},
                        {"yuv420p10le", 2, {1280, 16}, k709[0], k709[1], false},
                        {"yuva420p", 1, {64, 64}, k709[0], k709[1], false},
                        {"yuv420p", 1, {64, 64}, k709[0], k709[1], true},
                        {"yuv420p", 1, {63, 33}, k709[0], k709[1], false}};
  for (const Case& c : cases) {
    CAPTURE(c.format, c.space, c.size.width, c.size.height);
    VideoRecipe recipe;
    recipe.codec = "ffv1";
    recipe.pixel_format = c.format;
    recipe.color_space = c.space;
    recipe.full_range = c.full;
    const bool ten = std::string(c.format).find("10") != std::string::npos;
    const int y = 110, u = 100, v = 165;
    recipe.paint = [&](AVFrame& frame, int) {
      const int values[4] = {y, u, v, 255};
      for (int plane = 0; plane < 4 && frame.data[plane]; ++plane) {
        const bool chroma = plane == 1 || plane == 2;
        const int rows = chroma && std::string(c.format).find("420") != std::string::npos
                             ? (frame.height + 1) / 2
                             : frame.height;
        for (int row = 0; row < rows; ++row) {
          uint8_t* bytes = frame.data[plane] + row * frame.linesize[plane];
          for (int x = 0; x < frame.linesize[plane] / (ten ? 2 : 1); ++x) {
            if (!ten) bytes[x] = static_cast<uint8_t>(values[plane]);
            const auto wide = static_cast<uint16_t>(4 * values[plane]);
            if (ten) std::memcpy(bytes + 2 * x, &wide, 2);
          }
        }
      }
    };
    write_video(folder / "a.mkv", recipe, 1, c.size);
    const RgbImage shown = read_all(folder / "a.mkv").pictures.at(0);
    REQUIRE(shown.size == ImageSize{c.size.width, c.size.height});
    const double luma = c.full ? y / 255.0 : (y - 16) / 219.0, cb = (u - 128) / (c.full ? 255.0 : 224.0),
                 cr = (v - 128) / (c.full ? 255.0 : 224.0);
    const double r = luma + 2 * (1 - c.red) * cr, b = luma + 2 * (1 - c.blue) * cb,
                 g = (luma - c.red * r - c.blue * b) / (1 - c.red - c.blue);
    const size_t middle = shown.pixels.size() / 6 * 3;
    CHECK(std::abs(shown.pixels[middle] - 255 * r) < 1.1);
    CHECK(std::abs(shown.pixels[middle + 1] - 255 * g) < 1.1);
    CHECK(std::abs(shown.pixels[middle + 2] - 255 * b) < 1.1);
  }
}

TEST_CASE("Colours that cannot be converted are refused by name", "[video_reader]") {
  TempFolder folder;
  VideoRecipe recipe;
  recipe.codec = "ffv1";
  recipe.pixel_format = "yuv444p";
  recipe.color_space = 8;  // YCgCo
  write_video(folder / "a.mkv", recipe, 1);
  const auto error = error_of([&] { read_all(folder / "a.mkv"); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  CHECK_THAT(std::string(error->what()), contains_text("a.mkv") && contains_text("coded as ycgco"));
}

TEST_CASE("Grey of limited and of full range", "[video_reader]") {
  TempFolder folder;
  VideoRecipe recipe;
  recipe.codec = "ffv1";
  recipe.pixel_format = "gray";
  recipe.paint = [](AVFrame& frame, int) {
    for (int y = 0; y < frame.height; ++y)
      std::memset(frame.data[0] + y * frame.linesize[0], 126, static_cast<size_t>(frame.width));
  };
  write_video(folder / "a.mkv", recipe, 1, {32, 32});
  CHECK(read_all(folder / "a.mkv").pictures.at(0).pixels[5] == 128);
}

TEST_CASE("A stream may change its size", "[video_reader]") {
  TempFolder folder;
  VideoRecipe recipe;
  recipe.size_at = [](int n) {
    return n < 4 ? cv::Size(96, 64) : n < 8 ? cv::Size(128, 96) : cv::Size(64, 48);
  };
  for (const char* name : {"a.avi", "a.mkv"}) {
    CAPTURE(name);
    write_video(folder / name, recipe, 12);
    const Seen seen = read_all(folder / name);
    REQUIRE(seen.facts.size() == 12);
    for (int n = 0; n < 12; ++n) {
      CAPTURE(n);
      CHECK(distance(seen.pictures[static_cast<size_t>(n)], drawn_frame(n, recipe.size_at(n))) < 8);
      CHECK(seen.facts[static_cast<size_t>(n)].width == recipe.size_at(n).width);
    }
  }
  recipe = mpeg4(0, 4);
  recipe.codec = "mpeg2video";
  recipe.size_at = [](int n) { return n < 6 ? cv::Size(160, 96) : cv::Size(320, 240); };
  write_video(folder / "a.ts", recipe, 12);
  const Seen seen = read_all(folder / "a.ts");
  REQUIRE(seen.facts.size() >=
          11);  // libavcodec's MPEG-2 decoder drops the picture that it holds at the change
  CHECK(seen.facts.front().width == 160);
  CHECK(seen.facts.back().width == 320);
}
