// Frames with their times, from any place, of whole and damaged files.
#include "uir/video/video_reader.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <set>
#include <vector>

#include "read_videos.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"

extern "C" {
#include <libavutil/frame.h>
}

using namespace uir;

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
  // FFmpeg 7.1 knows a playlist by its file's name only, which it is not told.
  CHECK_THAT(refusal(folder / "hls.mp4"),
             contains_text("hls.mp4: no video: libavformat takes it for hls") ||
                 contains_text("hls.mp4: no video, or damaged: of no container that libavformat knows"));
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

// Damage that no decoder notices is not what this is about: wherever a frame is lost that B-frames are built
// on, they are lost too.
TEST_CASE("B-frames go with the damaged frame behind them", "[video_reader]") {
  struct Video {
    std::string name;
    VideoRecipe recipe;
    std::set<size_t> anchors;  // of a group of pictures: what its B-frames are built on
  };
  TempFolder folder;
  std::vector<Video> videos{{"a.mp4", mpeg4(2, 12), {0, 3, 6, 9}}, {"a.mkv", mpeg4(2, 12), {0, 3, 6, 9}}};
  if (has_encoder("libx264")) {
    const std::string group = "keyint=12:min-keyint=12:scenecut=0:bframes=3:b-adapt=0:b-pyramid=0";
    videos.push_back({"h264.mp4", h264(group), {0, 4, 8, 11}});
    videos.push_back({"open.mkv", h264(group + ":open-gop=1"), {0, 4, 8}});
  } else {
    WARN("libx264 is not in this libavcodec: damaged H.264 was not tested");
  }
  for (const auto& [name, recipe, anchors] : videos) {
    constexpr size_t kFrames = 72;
    write_video(folder / name, recipe, kFrames);
    const FrameList whole = decode_frame_list(folder / name);
    REQUIRE(whole.frames.size() == kFrames);
    int64_t lost_with_others = 0;
    for (int place = 20; place <= 80; ++place) {
      CAPTURE(name, place);
      const fs::path damaged = folder / ("damaged-" + name);
      fs::copy_file(folder / name, damaged, fs::copy_options::overwrite_existing);
      overwrite(damaged, place / 100., 0.004);
      std::set<int64_t> given;
      for (const FrameFacts& frame : decode_frame_list(damaged).frames) given.insert(frame.ticks);
      for (size_t n = 0; n + 12 < kFrames; ++n) {
        size_t behind = n;
        while (!anchors.contains(behind % 12)) ++behind;
        if (behind == n || given.contains(whole.frames[behind].ticks)) continue;
        CAPTURE(n);
        CHECK_FALSE(given.contains(whole.frames[n].ticks));
        ++lost_with_others;
      }
    }
    CHECK(lost_with_others > 20);
  }
}
