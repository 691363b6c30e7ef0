// Frames of videos as sources.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "index_videos.h"
#include "support/catch.h"
#include "support/faces_on_disk.h"
#include "uir/base/log.h"
#include "uir/data/folder_listing.h"
#include "uir/data/image_source.h"
#include "uir/data/index_builder.h"
#include "uir/data/video_facts.h"
#include "uir/data/video_list.h"
#include "uir/images/align.h"
#include "uir/pixels/pixels.h"

using namespace uir;

TEST_CASE("Numbers in names are in natural order", "[videos]") {
  const std::vector<std::string> sorted{"",
                                        "1.jpg",
                                        "2.jpg",
                                        "9.jpg",
                                        "10.jpg",
                                        "100.jpg",
                                        "a",
                                        "a0",
                                        "a01b1.jpg",
                                        "a1b1.jpg",
                                        "a1b2",
                                        "a1b10",
                                        "a2",
                                        "f_09_2",
                                        "f_9_10",
                                        "f_10_1",
                                        "z99999999999999999999998",
                                        "z99999999999999999999999"};
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t j = 0; j < sorted.size(); ++j) {
      CAPTURE(sorted[i], sorted[j]);
      CHECK(natural_less(sorted[i], sorted[j]) == (i < j));
    }
  }
  CHECK(natural_less("01.jpg", "1.jpg"));
  CHECK_FALSE(natural_less("1.jpg", "01.jpg"));
}

TEST_CASE("Folders of frames: the list's order of videos, natural order of frames", "[videos]") {
  TempFolder folder;
  const fs::path root = folder / "tree";
  for (const char* name : {"v2/10.jpg", "v2/9.jpg", "v2/2.jpg", "v10/1.jpg", "v10/notes.txt", "v3/0.jpg"}) {
    write_bytes(root / name, jpeg_face(1, 1));
  }
  write(folder / "list.txt", "v2 3\nv10\nv3 1\n");
  FramesSource frames{{root.string()}, {(folder / "list.txt").string()}};
  const Index index = make_index(folder / "index", {source_of("video", Role::kTest, frames)});
  CHECK(items_of(index) ==
        std::vector<std::string>{"v2/2.jpg", "v2/9.jpg", "v2/10.jpg", "v10/1.jpg", "v3/0.jpg"});
  CHECK(list_videos(frames) == std::vector<std::string>{"v2", "v10", "v3"});
  CHECK(index.labels()[0] == -1);

  const auto error = [&](const std::string& list) {
    write(folder / "list.txt", list);
    return data_error([&] { make_index(folder / "other", {source_of("video", Role::kTest, frames)}); });
  };
  CHECK_THAT(error("v2 3\nv10 2\n"), contains_text("list.txt:2: video 'v10': 1 frames"));
  CHECK_THAT(error("v2\nv3\nv2\n"), contains_text("list.txt:3: video 'v2' stands in the list twice"));
  CHECK_THAT(error("v2 three\n"), contains_text("list.txt:1"));
  CHECK_THAT(error("v2 3 4\n"), contains_text("3 fields"));
  CHECK_THAT(error("../v2 3\n"), contains_text("list.txt:1"));
  CHECK_THAT(error("\n"), contains_text("no videos"));
  fs::remove(root / "v3/0.jpg");
  CHECK_THAT(error("v2\nv3\n"), contains_text("list.txt:2: video 'v3': no frames"));
  write(folder / "list.txt", "v2\nv4\n");
  const auto missing =
      error_of([&] { make_index(folder / "other", {source_of("video", Role::kTest, frames)}); });
  REQUIRE(missing);
  CHECK(missing->kind() == ErrorKind::kMissingInput);
  CHECK_THAT(missing->what(), contains_text("list.txt:2: video 'v4'"));
  CHECK(kind_of([&] { make_index(folder / "other", {source_of("video", Role::kLabeled, frames)}); }) ==
        ErrorKind::kConfig);
}

TEST_CASE("Video files: one row per frame, 112x112 as it is, others stretched", "[videos]") {
  TempFolder folder;
  write_video(folder / "videos/b.avi", 5);
  write_video(folder / "videos/sub/a.avi", 3, {112, 112});
  write(folder / "videos/readme.txt", "no video");
  const ImageSource images(index_videos(folder, videos_in(folder / "videos")));
  const Index& index = images.index();
  CHECK(items_of(index) == std::vector<std::string>{"b.avi/000000", "b.avi/000001", "b.avi/000002",
                                                    "b.avi/000003", "b.avi/000004", "sub/a.avi/000000",
                                                    "sub/a.avi/000001", "sub/a.avi/000002"});
  CHECK(index.pixel_sizes()[0] == std::array<uint16_t, 2>{160, 120});
  CHECK(index.flags()[0] == kNotNetworkSize);
  CHECK(index.flags()[5] == 0);
  CHECK(index.boxes().empty());
  CHECK(index.landmarks().empty());
  const auto b = frames_in_order(folder / "videos/b.avi"), a = frames_in_order(folder / "videos/sub/a.avi");
  Pixels stretched(kImageBytes);
  resize_face(to_image(b[3]), stretched.data());
  CHECK(load(images, 3) == stretched);
  CHECK(load(images, 6) == to_image(a[1]).pixels);
  CHECK(load(images, 0) != load(images, 1));
  CHECK(images.encoded(6).size() == kImageBytes);
  // The hash is that of the file and the frame's number.
  std::set<ContentHash> hashes(index.hashes().begin(), index.hashes().end());
  CHECK(hashes.size() == 8);
  const VideoFacts facts = survey_video(folder / "videos/b.avi", nullptr).facts;
  CHECK(index.hashes()[4] == frame_hash(facts.hash, 4, 0));
  CHECK(facts.hash == content_hash(MappedFile(folder / "videos/b.avi").bytes()));
}

TEST_CASE("Any number of threads in any order see the same faces", "[videos]") {
  TempFolder folder;
  for (int i = 0; i < 3; ++i)
    write_video(folder / ("videos/" + std::to_string(i) + ".avi"), 90, {64, 48}, i * 9);
  const ImageSource images(index_videos(folder, videos_in(folder / "videos")));
  const int64_t n = images.index().size();
  REQUIRE(n == 270);
  std::vector<Pixels> expected;
  for (int video = 0; video < 3; ++video) {
    for (const cv::Mat& frame : frames_in_order(folder / ("videos/" + std::to_string(video) + ".avi"))) {
      expected.emplace_back(kImageBytes);
      resize_face(to_image(frame), expected.back().data());
    }
  }
  const auto check = [&](auto row_of) {
    std::atomic<int64_t> next{0}, wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int64_t i; (i = next++) < n;) {
          const auto row = static_cast<size_t>(row_of(i));
          if (load(images, static_cast<int64_t>(row)) != expected[row]) ++wrong;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
  };
  check([](int64_t i) { return i; });
  check([&](int64_t i) { return n - 1 - i; });
  check([&](int64_t i) { return i * 101 % n; });
  check([](int64_t i) { return i; });
}

TEST_CASE("Which frames are taken", "[videos]") {
  TempFolder folder;
  write_video(folder / "videos/a.avi", 50, {48, 48});
  const auto frames = [&](int64_t every, double rate, int64_t most) {
    VideosSource videos = videos_in(folder / "videos");
    videos.every = every;
    videos.frames_per_second = rate;
    videos.max_frames = most;
    std::vector<int> numbers;
    for (const std::string& item : items_of(index_videos(folder, videos)))
      numbers.push_back(std::stoi(item.substr(item.rfind('/') + 1)));
    return numbers;
  };
  CHECK(frames(1, 0, 0).size() == 50);
  CHECK(frames(20, 0, 0) == std::vector<int>{0, 20, 40});
  CHECK(frames(1, 5, 0) == std::vector<int>{0, 5, 10, 15, 20, 25, 30, 35, 40, 45});  // of 25 per second
  CHECK(frames(1, 10, 0).size() == 20);
  CHECK(frames(1, 100, 0).size() == 50);
  CHECK(frames(1, 0, 4) == std::vector<int>{0, 12, 25, 37});
  CHECK(frames(20, 0, 2) == std::vector<int>{0, 20});
  CHECK(frames(20, 0, 7) == std::vector<int>{0, 20, 40});
}

TEST_CASE("Frames are taken by their times", "[videos]") {
  TempFolder folder;
  VideoRecipe recipe;
  recipe.time_base = {1, 1000};
  recipe.stamps = {0, 40, 80, 990, 1010, 1050, 4000, 4040, 4990, 5000};  // announces 1000 frames a second
  write_video(folder / "videos/a.mkv", recipe, 10, {48, 48});
  VideosSource videos = videos_in(folder / "videos");
  const auto numbers = [&](double rate, int64_t every) {
    videos.frames_per_second = rate;
    videos.every = every;
    std::vector<int> taken;
    for (const std::string& item : items_of(index_videos(folder, videos)))
      taken.push_back(std::stoi(item.substr(item.rfind('/') + 1)));
    return taken;
  };
  CHECK(numbers(1, 1) == std::vector<int>{0, 4, 6, 9});
  CHECK(numbers(0.5, 1) == std::vector<int>{0, 6});
  CHECK(numbers(1, 3) == std::vector<int>{0, 6, 9});
  const Index index = Index::open(folder / "index");
  REQUIRE(index.video_frames(0).size() == 10);
  CHECK(index.video_frames(0)[8].ticks * 1000 == 4990 * index.videos()[0].ticks_per_second);
}

TEST_CASE("A row has the size that its frame is shown at", "[videos]") {
  TempFolder folder;
  VideoRecipe recipe;
  recipe.size_at = [](int n) { return n < 2 ? cv::Size(112, 112) : cv::Size(96, 64); };
  write_video(folder / "videos/a.avi", recipe, 4);
  recipe.size_at = nullptr;
  recipe.aspect = {3, 2};
  recipe.matrix = {0, 1, -1, 0};
  write_video(folder / "videos/b.mov", recipe, 1, {64, 48});
  VideosSource videos = videos_in(folder / "videos");
  const ImageSource images(index_videos(folder, videos));
  const Index& index = images.index();
  REQUIRE(index.size() == 5);
  CHECK(index.pixel_sizes()[1] == std::array<uint16_t, 2>{112, 112});
  CHECK(index.pixel_sizes()[2] == std::array<uint16_t, 2>{96, 64});
  CHECK(index.pixel_sizes()[4] == std::array<uint16_t, 2>{48, 96});
  CHECK(index.flags()[1] == 0);
  CHECK(index.flags()[2] == kNotNetworkSize);
  const auto frames = frames_in_order(folder / "videos/a.avi");
  Pixels stretched(kImageBytes);
  resize_face(to_image(frames[3]), stretched.data());
  CHECK(load(images, 3) == stretched);
  CHECK(load(images, 1) == to_image(frames[1]).pixels);
  videos.faces.value = (folder / "faces.csv").string();
  write(folder / "faces.csv", "video,frame,x1,y1,x2,y2\na.avi,3,100,1,110,9\n");
  CHECK_THAT(data_error([&] { index_videos(folder, videos); }), contains_text("outside the frame of 96x64"));
}

TEST_CASE("Frames of videos with B-frames in any order of rows", "[videos]") {
  TempFolder folder;
  VideoRecipe recipe;
  recipe.codec = "mpeg4";
  recipe.pixel_format = "yuv420p";
  recipe.options = {{"bf", "2"}, {"g", "10"}};
  write_video(folder / "videos/a.mp4", recipe, 60, {64, 48});
  write_video(folder / "videos/b.mkv", recipe, 60, {64, 48});
  write_video(folder / "videos/c.ts", recipe, 60, {64, 48});
  const ImageSource images(index_videos(folder, videos_in(folder / "videos")));
  REQUIRE(images.index().size() == 180);
  std::vector<Pixels> expected;
  for (const char* name : {"a.mp4", "b.mkv", "c.ts"}) {
    for (const cv::Mat& frame : frames_in_order(folder / "videos" / name)) {
      expected.emplace_back(kImageBytes);
      resize_face(to_image(frame), expected.back().data());
    }
  }
  for (int64_t i = 0; i < 180; ++i) {
    const int64_t row = i * 67 % 180;
    CAPTURE(row);
    REQUIRE(load(images, row) == expected[static_cast<size_t>(row)]);
  }
}

TEST_CASE("Lists of video files, with labels or without", "[videos]") {
  TempFolder folder;
  for (const char* name : {"a.avi", "b.avi", "c.avi"}) write_video(folder / "videos" / name, 2, {32, 32});
  VideosSource videos = videos_in(folder / "videos");
  videos.list.value = (folder / "list.txt").string();
  const auto labels = [&](VideoListFormat format, const std::string& list, Role role = Role::kTest) {
    write(folder / "list.txt", list);
    videos.format = format;
    const Index index = index_videos(folder, videos, role);
    return std::pair(items_of(index), std::vector<int64_t>(index.labels().begin(), index.labels().end()));
  };
  const std::vector<std::string> c_a{"c.avi/000000", "c.avi/000001", "a.avi/000000", "a.avi/000001"};
  CHECK(labels(VideoListFormat::kName, "c.avi\na.avi\n") ==
        std::pair(c_a, std::vector<int64_t>{-1, -1, -1, -1}));
  CHECK(labels(VideoListFormat::kNameLabel, "c.avi 17\na.avi 4\n") ==
        std::pair(c_a, std::vector<int64_t>{1, 1, 0, 0}));
  CHECK(labels(VideoListFormat::kLabelNames, "3 c.avi a.avi\n") ==
        std::pair(c_a, std::vector<int64_t>{0, 0, 0, 0}));
  CHECK(labels(VideoListFormat::kNameLabel, "c.avi 17\na.avi 4\n", Role::kUnlabeled).second ==
        std::vector<int64_t>{-1, -1, -1, -1});
  CHECK(labels(VideoListFormat::kNameLabel, "c.avi 17\na.avi 4\n", Role::kLabeled).second ==
        std::vector<int64_t>{1, 1, 0, 0});
  CHECK(list_videos(videos) == std::vector<std::string>{"c.avi", "a.avi"});

  const auto error = [&](VideoListFormat format, const std::string& list) {
    return data_error([&] { labels(format, list); });
  };
  CHECK_THAT(error(VideoListFormat::kName, "a.avi 3\n"), contains_text("list.txt:1: 2 fields"));
  CHECK_THAT(error(VideoListFormat::kNameLabel, "a.avi\n"), contains_text("list.txt:1: 1 fields"));
  CHECK_THAT(error(VideoListFormat::kNameLabel, "a.avi x\n"), contains_text("label 'x'"));
  CHECK_THAT(error(VideoListFormat::kLabelNames, "1 a.avi\n2 a.avi\n"),
             contains_text("list.txt:2: video 'a.avi'"));
  CHECK_THAT(error(VideoListFormat::kLabelNames, "7\n"), contains_text("expected a label and its videos"));
  CHECK(kind_of([&] { labels(VideoListFormat::kName, "a.avi\n", Role::kLabeled); }) == ErrorKind::kConfig);
  const auto missing = error_of([&] { labels(VideoListFormat::kName, "a.avi\nz.avi\n"); });
  REQUIRE(missing);
  CHECK_THAT(missing->what(), contains_text("list.txt:2: video 'z.avi'"));
}

TEST_CASE("Faces given by boxes and points", "[videos]") {
  TempFolder folder;
  write_video(folder / "videos/a.avi", 8);
  write_video(folder / "videos/b.avi", 4, {112, 112});
  VideosSource videos = videos_in(folder / "videos");
  videos.faces.value = (folder / "faces.csv").string();
  const std::string header = "video,frame,x1,y1,x2,y2,a,b,c,d,e,f,g,h,i,j\n";
  const std::string points = "60,40,90,41,75,55,62,70,88,71";
  write(folder / "faces.csv", header + "a.avi,5,20,10,100.5,110,,,,,,,,,,\n" +
                                  "b.avi,3,-5,-5,50,60,,,,,,,,,,\n" + "a.avi,2,50,30,110,90," + points +
                                  "\n" + "a.avi,5,100,5,170,60,,,,,,,,,,\n" +
                                  "unknown.avi,9,1,1,2,2,,,,,,,,,,\n");
  const ImageSource images(index_videos(folder, videos));
  const Index& index = images.index();
  CHECK(items_of(index) ==
        std::vector<std::string>{"a.avi/000002", "a.avi/000005", "a.avi/000005_1", "b.avi/000003"});
  REQUIRE(index.boxes().size() == 4);
  REQUIRE(index.landmarks().size() == 4);
  CHECK(index.flags()[0] == (kNotNetworkSize | kHasLandmarks | kHasBox));
  CHECK(index.flags()[3] == kHasBox);
  CHECK(index.hashes()[1] != index.hashes()[2]);
  const auto a = frames_in_order(folder / "videos/a.avi"), b = frames_in_order(folder / "videos/b.avi");
  Pixels expected(kImageBytes);
  align_face(to_image(a[2]), {60, 40, 90, 41, 75, 55, 62, 70, 88, 71}, expected.data());
  CHECK(load(images, 0) == expected);
  const auto cut = [](const cv::Mat& frame, cv::Rect box) {
    Pixels rgb(kImageBytes);
    resize_face(to_image(frame(box).clone()), rgb.data());
    return rgb;
  };
  for (int pass = 0; pass < 2; ++pass) {  // in and against the order of rows
    CHECK(load(images, pass == 0 ? 1 : 2) ==
          (pass == 0 ? cut(a[5], {20, 10, 81, 100}) : cut(a[5], {100, 5, 60, 55})));
    CHECK(load(images, pass == 0 ? 2 : 1) ==
          (pass == 0 ? cut(a[5], {100, 5, 60, 55}) : cut(a[5], {20, 10, 81, 100})));
  }
  CHECK(load(images, 3) == cut(b[3], {0, 0, 50, 60}));

  const auto error = [&](const std::string& text) {
    write(folder / "faces.csv", text);
    return data_error([&] { index_videos(folder, videos); });
  };
  const std::string boxes = "video,frame,x1,y1,x2,y2\n";
  CHECK_THAT(error("a.avi,1,2,3,4,5\n"), contains_text("expected the header"));
  CHECK_THAT(error(boxes + "a.avi,1,2,3,4\n"), contains_text("faces.csv:2: 5 fields"));
  CHECK_THAT(error(boxes + "a.avi,1,2,3,2,9\n"), contains_text("faces.csv:2: the box is empty"));
  CHECK_THAT(error(boxes + "a.avi,1,nan,3,2,9\n"), contains_text("'nan' is not a coordinate"));
  CHECK_THAT(error(boxes + "a.avi,8,1,1,9,9\n"), contains_text("faces.csv:2: frame 8, the video has 8"));
  CHECK_THAT(error(boxes + "a.avi,7,160,1,190,9\n"), contains_text("outside the frame"));
  CHECK_THAT(error(boxes + "a.avi,7,1,1,19,9\n"), contains_text("b.avi: none of its frames is taken"));

  VideosSource some = videos;
  some.allow_faceless = true;
  std::string warnings;
  const LogSink old = set_log_sink([&](LogLevel level, std::string_view text) {
    if (level == LogLevel::kWarning) warnings += text;
  });
  for (int run = 0; run < 2; ++run) {  // the second one takes over what the first has read
    const ImageSource left(index_videos(folder, some));
    CHECK(items_of(left.index()) == std::vector<std::string>{"a.avi/000007"});
    CHECK(load(left, 0) == cut(a[7], {1, 1, 18, 8}));
  }
  set_log_sink(old);
  CHECK_THAT(warnings, contains_text("1 of 2 videos have no face") && contains_text("b.avi"));
}
