#include "uir/video/video_reader.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "support/video_files.h"

extern "C" {
#include <libavutil/frame.h>
}

using namespace uir;

namespace {

// Without loss: what is read is what was drawn, to the byte.
VideoRecipe lossless() {
  VideoRecipe recipe;
  recipe.codec = "png";
  recipe.pixel_format = "rgb24";
  return recipe;
}

VideoRecipe mpeg4(int b_frames, int gop) {
  VideoRecipe recipe;
  recipe.codec = "mpeg4";
  recipe.pixel_format = "yuv420p";
  recipe.options = {
      {"bf", std::to_string(b_frames)}, {"g", std::to_string(gop)}, {"qmin", "2"}, {"qmax", "4"}};
  return recipe;
}

VideoRecipe h264(const std::string& parameters) {
  VideoRecipe recipe = mpeg4(0, 0);
  recipe.codec = "libx264";
  recipe.options = {{"preset", "veryfast"}, {"crf", "18"}, {"x264-params", "threads=1:" + parameters}};
  return recipe;
}

struct Seen {
  std::vector<FrameFacts> facts;
  std::vector<RgbImage> pictures;
  int64_t lost = 0, ticks_per_second = 0;
};

Seen read_all(const fs::path& path, int threads = 1) {
  VideoReader reader(path, threads);
  Seen seen;
  seen.ticks_per_second = reader.ticks_per_second();
  while (reader.next()) {
    seen.facts.push_back(reader.facts());
    seen.pictures.push_back(reader.picture());
  }
  seen.lost = reader.lost();
  return seen;
}

std::vector<double> seconds_of(const Seen& seen) {
  std::vector<double> seconds;
  for (const FrameFacts& facts : seen.facts)
    seconds.push_back(static_cast<double>(facts.ticks) / static_cast<double>(seen.ticks_per_second));
  return seconds;
}

std::string refusal(const fs::path& path) {
  const auto error = error_of([&] {
    VideoReader reader(path);
    while (reader.next()) {
    }
  });
  return error && error->kind() == ErrorKind::kData ? error->what() : "";
}

void overwrite(const fs::path& path, double from, double share) {
  const auto size = static_cast<double>(fs::file_size(path));
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(from * size));
  const std::string zeros(static_cast<size_t>(share * size), '\0');
  file.write(zeros.data(), static_cast<std::streamsize>(zeros.size()));
}

void cut(const fs::path& path, double share) {
  fs::resize_file(path, static_cast<uintmax_t>(share * static_cast<double>(fs::file_size(path))));
}

}  // namespace

TEST_CASE("What is read is what was drawn, to the byte and the tick", "[video_reader]") {
  TempFolder folder;
  for (const char* name : {"a.mkv", "b.mov", "c.nut"}) {
    CAPTURE(name);
    write_video(folder / name, lossless(), 9);
    const Seen seen = read_all(folder / name);
    REQUIRE(seen.facts.size() == 9);
    CHECK(seen.lost == 0);
    for (size_t n = 0; n < 9; ++n) {
      CHECK(seen.facts[n].ticks * 25 == static_cast<int64_t>(n) * seen.ticks_per_second);
      CHECK(distance(seen.pictures[n], drawn_frame(static_cast<int>(n), {160, 120})) == 0);
    }
  }
}

TEST_CASE("Names are never protocols or patterns", "[video_reader]") {
  TempFolder folder;
  for (const char* name :
       {"cam:2.mkv", "100%.mkv", "%03d.mkv", "http:x.mkv", "concat:a|b.mkv", "pipe:0.mkv", " -i.mkv"}) {
    CAPTURE(name);
    write_video(folder / "a.mkv", lossless(), 3, {32, 32});
    fs::rename(folder / "a.mkv", folder / name);
    CHECK(read_all(folder / name).facts.size() == 3);
  }
}

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

TEST_CASE("Times are exact and count from the container's start", "[video_reader]") {
  TempFolder folder;
  VideoRecipe recipe = lossless();
  SECTION("variable rate") {
    recipe.time_base = {1, 90000};
    recipe.stamps = {0, 3003, 6006, 100000, 100001, 450000};
    write_video(folder / "a.mov", recipe, 6);
    const Seen seen = read_all(folder / "a.mov");
    REQUIRE(seen.facts.size() == 6);
    for (size_t n = 0; n < 6; ++n)
      CHECK(seen.facts[n].ticks * 90000 == recipe.stamps[n] * seen.ticks_per_second);
  }
  SECTION("pictures that begin late") {
    recipe.stamps = {125, 126, 127};
    recipe.sound_seconds = 6;
    for (const char* name : {"a.mkv", "a.mov"}) {
      CAPTURE(name);
      write_video(folder / name, recipe, 3);
      const Seen seen = read_all(folder / name);
      REQUIRE(seen.facts.size() == 3);
      for (int64_t n = 0; n < 3; ++n)
        CHECK(seen.facts[static_cast<size_t>(n)].ticks * 25 == (125 + n) * seen.ticks_per_second);
    }
    VideoRecipe b_frames = mpeg4(2, 6);
    for (int64_t n = 0; n < 12; ++n) b_frames.stamps.push_back(125 + n);
    b_frames.sound_seconds = 6;
    for (const char* name : {"b.mkv", "b.mp4", "b.ts"}) {
      CAPTURE(name);
      write_video(folder / name, b_frames, 12);
      const Seen seen = read_all(folder / name);
      REQUIRE(seen.facts.size() == 12);
      // In the transport stream the sound, and so the container, begins 481 samples earlier: MPEG's filter.
      const double start = std::string(name) == "b.ts" ? -481.0 / 32000 : 0;
      for (size_t n = 0; n < 12; ++n)
        CHECK(seconds_of(seen)[n] == Approx((125 + static_cast<double>(n)) / 25 - start).margin(0.0005));
    }
  }
  SECTION("a transport stream that begins late on its clock") {
    VideoRecipe stream = mpeg4(2, 6);
    stream.codec = "mpeg2video";
    for (const char* offset : {"5", "50000.000155"}) {  // beyond 2^31 / 90000 s
      CAPTURE(offset);
      stream.container_options = {{"output_ts_offset", offset}};
      write_video(folder / "a.ts", stream, 12);
      const Seen seen = read_all(folder / "a.ts");
      REQUIRE(seen.facts.size() == 12);
      for (int64_t n = 0; n < 12; ++n)
        CHECK(seen.facts[static_cast<size_t>(n)].ticks * 25 == n * seen.ticks_per_second);
    }
  }
  SECTION("joined recordings go on where the first ends") {
    VideoRecipe stream = mpeg4(2, 6);
    stream.codec = "mpeg2video";
    write_video(folder / "a.ts", stream, 50);
    const std::string once = read_text_file(folder / "a.ts");
    std::ofstream(folder / "twice.ts", std::ios::binary) << once << once;
    const Seen seen = read_all(folder / "twice.ts");
    REQUIRE(seen.facts.size() == 100);
    for (size_t n = 0; n < 100; ++n) CHECK(std::abs(seconds_of(seen)[n] * 25 - static_cast<double>(n)) < 1.5);
  }
  SECTION("Matroska written to a pipe") {
    recipe.to_pipe = true;
    write_video(folder / "a.mkv", recipe, 7);
    CHECK(read_all(folder / "a.mkv").facts.size() == 7);
    CHECK(seconds_of(read_all(folder / "a.mkv")).back() == Approx(0.24));
  }
}

TEST_CASE("B-frames come in the order shown, whatever the container says of times", "[video_reader]") {
  TempFolder folder;
  for (const char* name : {"a.mp4", "a.mkv", "a.avi", "a.ts", "a.mov"}) {
    CAPTURE(name);
    write_video(folder / name, mpeg4(2, 6), 20);
    const Seen seen = read_all(folder / name), threads = read_all(folder / name, 3);
    REQUIRE(seen.facts.size() == 20);
    CHECK(seen.lost == 0);
    CHECK(seen.facts == threads.facts);
    for (int n = 0; n < 20; ++n) {
      const auto i = static_cast<size_t>(n);
      // AVI has no times, only an order of decoding, one frame ahead.
      CHECK(seconds_of(seen)[i] == Approx((n + (std::string(name) == "a.avi")) / 25.0).margin(0.0006));
      CHECK(distance(seen.pictures[i], drawn_frame(n, {160, 120})) <
            distance(seen.pictures[i], drawn_frame(n + 1, {160, 120})));
      CHECK(seen.pictures[i].pixels == threads.pictures[i].pixels);
    }
  }
}

TEST_CASE("Seeking gives the frames and bytes of reading from the front", "[video_reader]") {
  TempFolder folder;
  std::vector<std::pair<std::string, VideoRecipe>> videos{
      {"b.mp4", mpeg4(2, 12)}, {"b.mkv", mpeg4(2, 12)}, {"b.ts", mpeg4(2, 12)},     {"b.avi", mpeg4(2, 12)},
      {"p.mov", mpeg4(0, 9)},  {"all.mkv", lossless()}, {"jpeg.avi", VideoRecipe{}}};
  videos.emplace_back("open_mpeg2.ts", mpeg4(2, 12)).second.codec = "mpeg2video";
  videos.emplace_back("open_mpeg2.mkv", mpeg4(2, 12)).second.codec = "mpeg2video";
  videos.emplace_back("pipe.mkv", mpeg4(2, 12)).second.to_pipe = true;
  videos.emplace_back("fragments.mp4", mpeg4(2, 12)).second.container_options = {
      {"movflags", "frag_keyframe+empty_moov"}};
  if (has_encoder("libx264")) {
    for (const char* container : {"mp4", "mkv", "ts", "flv"}) {
      videos.emplace_back(std::string("open.") + container,
                          h264("keyint=12:min-keyint=12:open-gop=1:bframes=3:b-pyramid=2"));
      videos.emplace_back(std::string("refresh.") + container, h264("intra-refresh=1:keyint=20:bframes=0"));
      videos.emplace_back(std::string("closed.") + container,
                          h264("keyint=25:bframes=3:b-adapt=0:b-pyramid=2:ref=4"));
    }
  } else {
    WARN("libx264 is not in this libavcodec: seeking in H.264 was not tested");
  }
  for (const auto& [name, recipe] : videos) {
    CAPTURE(name);
    write_video(folder / name, recipe, 70, {96, 64});
    const Seen seen = read_all(folder / name);
    REQUIRE(seen.facts.size() == 70);
    for (const int threads : {1, 3}) {
      VideoReader reader(folder / name, threads);
      for (const size_t n :
           {0u, 1u, 30u, 31u, 33u, 33u, 69u, 5u, 11u, 12u, 13u, 24u, 23u, 22u, 68u, 2u, 0u, 47u, 36u, 69u}) {
        CAPTURE(threads, n);
        REQUIRE(reader.seek(seen.facts[n].ticks));
        REQUIRE(reader.facts() == seen.facts[n]);
        REQUIRE(reader.picture().pixels == seen.pictures[n].pixels);
        if (n == 13 || n == 30) {  // and goes on from there
          REQUIRE(reader.next());
          REQUIRE(reader.facts() == seen.facts[n + 1]);
          REQUIRE(reader.picture().pixels == seen.pictures[n + 1].pixels);
        }
      }
      CHECK_FALSE(reader.seek(seen.facts.back().ticks + 1));
      CHECK(reader.seek(seen.facts[39].ticks + 1));
      CHECK(reader.facts() == seen.facts[40]);
    }
    const auto listed = read_frame_list(folder / name);
    const std::string extension = fs::path(name).extension();
    CHECK(listed.has_value() == (extension == ".mp4" || extension == ".mov" || extension == ".mkv"));
    if (listed) {
      REQUIRE(listed->frames.size() == 70);
      CHECK(listed->lost == 0);
      for (size_t n = 0; n < 70; ++n) CHECK(listed->frames[n].ticks == seen.facts[n].ticks);
    }
  }
}

TEST_CASE("Sound, covers and wrong announcements damage nothing", "[video_reader]") {
  TempFolder folder;
  VideoRecipe recipe = mpeg4(2, 6);
  recipe.sound_seconds = 3;
  recipe.cover = true;
  for (const char* name : {"a.mkv", "a.mp4", "a.avi", "a.ts"}) {
    CAPTURE(name);
    recipe.cover = fs::path(name).extension() == ".mp4";
    write_video(folder / name, recipe, 10);
    const FrameList list = decode_frame_list(folder / name);
    CHECK(list.frames.size() == 10);
    CHECK(list.lost == 0);
  }
  VideoRecipe ticks = lossless();  // a default duration of 1 ms: 1000 frames a second are announced
  ticks.time_base = {1, 1000};
  ticks.stamps = {0, 40, 90, 120, 500};
  write_video(folder / "ticks.mkv", ticks, 5);
  CHECK(seconds_of(read_all(folder / "ticks.mkv")) == std::vector<double>{0, 0.04, 0.09, 0.12, 0.5});
  CHECK(read_all(folder / "ticks.mkv").lost == 0);
}

TEST_CASE("Files without pictures are refused by what they are", "[video_reader]") {
  TempFolder folder;
  VideoRecipe sound;
  sound.pictures = false;
  sound.sound_seconds = 1;
  write_video(folder / "sound.mkv", sound, 0);
  CHECK_THAT(refusal(folder / "sound.mkv"),
             contains_text("sound.mkv: no video: it has no track of pictures, only audio (pcm_s16le)"));
  sound.cover = true;
  write_video(folder / "cover.mp4", sound, 0);
  CHECK_THAT(refusal(folder / "cover.mp4"),
             contains_text("no track of pictures") && contains_text("a cover picture (mjpeg)"));
  std::ofstream(folder / "text.mp4") << "not a video at all";
  CHECK_THAT(refusal(folder / "text.mp4"), contains_text("text.mp4: no video"));
  std::ofstream(folder / "empty.mp4");
  CHECK_THAT(refusal(folder / "empty.mp4"), contains_text("empty.mp4: no video"));
  CHECK(kind_of([&] { VideoReader(folder / "none.mp4"); }) == ErrorKind::kMissingInput);
  CHECK(kind_of([&] { VideoReader(folder.path()); }) == ErrorKind::kMissingInput);
}

TEST_CASE("Playlists lead nowhere", "[video_reader]") {
  TempFolder folder;
  VideoRecipe recipe = mpeg4(0, 6);
  recipe.codec = "mpeg2video";
  write_video(folder / "a.ts", recipe, 6);
  std::ofstream(folder / "hls.mp4")
      << "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.24,\na.ts\n#EXT-X-ENDLIST\n";
  CHECK_THAT(refusal(folder / "hls.mp4"), contains_text("hls.mp4: no video: libavformat takes it for hls"));
  std::ofstream(folder / "concat.avi") << "ffconcat version 1.0\nfile a.ts\n";
  CHECK_THAT(refusal(folder / "concat.avi"),
             contains_text("concat.avi: no video: libavformat takes it for concat"));
}

TEST_CASE("What is cut off or damaged is counted", "[video_reader]") {
  TempFolder folder;
  VideoRecipe front = mpeg4(2, 6);
  front.container_options = {{"movflags", "faststart"}};
  const auto lost = [&](const fs::path& path) {
    const FrameList list = decode_frame_list(path);
    return std::pair(static_cast<int64_t>(list.frames.size()), list.lost);
  };
  SECTION("an MP4 whose last third is missing") {
    for (const auto& options : {std::map<std::string, std::string>{{"movflags", "faststart"}}, {}}) {
      front.container_options = options;
      write_video(folder / "a.mp4", front, 30);
      cut(folder / "a.mp4", 0.66);
      if (options.empty()) {
        CHECK_THAT(refusal(folder / "a.mp4"),
                   contains_text("damaged") && contains_text("moov atom not found"));
        continue;
      }
      const auto [frames, missing] = lost(folder / "a.mp4");
      CHECK(frames > 10);
      CHECK(frames + missing == 30);
      CHECK(missing > 5);
    }
  }
  SECTION("fragments") {
    front.container_options = {{"movflags", "frag_keyframe+empty_moov"}};
    write_video(folder / "a.mp4", front, 30);
    CHECK(lost(folder / "a.mp4") == std::pair<int64_t, int64_t>(30, 0));
    cut(folder / "a.mp4", 0.7);
    CHECK(lost(folder / "a.mp4").second > 0);
  }
  SECTION("an AVI that ends early, or has a hole") {
    write_video(folder / "a.avi", 30);
    cut(folder / "a.avi", 0.6);
    CHECK(lost(folder / "a.avi").second > 8);
    write_video(folder / "b.avi", 30);
    overwrite(folder / "b.avi", 0.5, 0.05);
    CHECK(lost(folder / "b.avi").second > 0);
    VideoRecipe piped;
    piped.to_pipe = true;
    write_video(folder / "c.avi", piped, 30);
    CHECK(lost(folder / "c.avi") == std::pair<int64_t, int64_t>(30, 0));
    VideoRecipe pauses;  // places without a frame
    pauses.stamps = {0, 2, 4, 9, 10, 20};
    write_video(folder / "d.avi", pauses, 6);
    CHECK(lost(folder / "d.avi") == std::pair<int64_t, int64_t>(6, 0));
    CHECK(seconds_of(read_all(folder / "d.avi")) == std::vector<double>{0, 0.08, 0.16, 0.36, 0.4, 0.8});
  }
  SECTION("a hole in the middle") {
    for (const char* name : {"a.mp4", "a.mkv", "a.ts"}) {
      CAPTURE(name);
      write_video(folder / name, front, 40);
      overwrite(folder / name, 0.5, 0.04);
      const auto [frames, missing] = lost(folder / name);
      CHECK(missing > 0);
      CHECK(frames > 10);
      const Seen one = read_all(folder / name), three = read_all(folder / name, 3);
      CHECK(one.facts == three.facts);
      CHECK(one.lost == three.lost);
      for (size_t n = 0; n < one.pictures.size(); ++n)
        CHECK(one.pictures[n].pixels == three.pictures[n].pixels);
    }
  }
}
