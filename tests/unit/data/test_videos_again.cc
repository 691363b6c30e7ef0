// Videos that an index knows already: damaged, changed, unchanged.
#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "index_videos.h"
#include "support/catch.h"
#include "uir/data/index_builder.h"

using namespace uir;

TEST_CASE("Damaged and changed videos are refused by name", "[videos]") {
  TempFolder folder;
  write_video(folder / "videos/a.avi", 30);
  write_video(folder / "videos/b.avi", 30);
  const VideosSource videos = videos_in(folder / "videos");
  const std::string whole = read_text_file(folder / "videos/b.avi");
  const Index index = index_videos(folder, videos);

  const auto error = [&](const std::string& content, int64_t missing = 0) {
    write(folder / "videos/b.avi", content);
    VideosSource lenient = videos;
    lenient.missing_frames = missing;
    return data_error([&] { make_index(folder / "other", {source_of("videos", Role::kTest, lenient)}); });
  };
  CHECK_THAT(error(whole.substr(0, whole.size() * 6 / 10)), contains_text("b.avi: damaged or truncated"));
  CHECK(error(whole.substr(0, whole.size() * 6 / 10), 25).empty());
  std::string hole = whole;  // one frame overwritten
  std::fill_n(hole.begin() + static_cast<std::ptrdiff_t>(hole.size() / 2), hole.size() / 20, '\0');
  CHECK_THAT(error(hole), contains_text("b.avi: damaged or truncated"));
  CHECK_THAT(error(""), contains_text("b.avi"));
  CHECK_THAT(error("not a video at all"), contains_text("b.avi: no video"));

  write_video(folder / "videos/b.avi", 30, {160, 120}, 3);
  const ImageSource images(index);
  CHECK_NOTHROW(load(images, 29));
  CHECK_THAT(data_error([&] { load(images, 31); }), contains_text("b.avi/000001: the video changed since"));
  write(folder / "videos/b.avi", whole);
  CHECK_NOTHROW(load(ImageSource(index), 31));
  fs::remove(folder / "videos/b.avi");
  CHECK(kind_of([&] { load(ImageSource(index), 31); }) == ErrorKind::kMissingInput);
}

TEST_CASE("Unchanged videos are not decoded again", "[videos]") {
  TempFolder folder;
  const fs::path a = folder / "videos/a.avi", b = folder / "videos/b.avi", c = folder / "videos/c.avi";
  write_video(a, 8);
  write_video(b, 6);
  write_video(c, 4);
  VideosSource videos = videos_in(folder / "videos");
  DataConfig config;
  const auto build = [&](const std::string& index = "index") {
    config.sources = {source_of("clips", Role::kTest, videos)};
    return build_index(config, folder / index, 2);
  };
  const auto columns = [&](const Index& index) {
    return std::tuple(items_of(index), std::vector(index.hashes().begin(), index.hashes().end()),
                      std::vector(index.flags().begin(), index.flags().end()), index.fingerprint());
  };
  CHECK(build().record.images_read == 18);
  const Index first = Index::open(folder / "index", Index::Check::kFull);
  const auto before = columns(first);
  REQUIRE(first.videos().size() == 3);
  CHECK(first.video_name(1) == "clips/b.avi");
  CHECK(first.videos()[1].frames == 6);
  CHECK(first.videos()[1].pixels == std::array<int32_t, 2>{160, 120});
  CHECK(first.videos()[1].bytes == fs::file_size(b));

  // From here on whoever decodes a or b fails: other content of the same size and time stamp.
  std::map<fs::path, std::string> whole;
  for (const fs::path& path : {a, b}) {
    const auto time = fs::last_write_time(path);
    whole[path] = read_text_file(path);
    write(path, std::string(whole[path].size(), 'x'));
    fs::last_write_time(path, time);
  }
  CHECK_THAT(data_error([&] { build("other"); }),
             contains_text("a.avi: no video"));  // no index knows them there
  IndexReport report = build();
  CHECK(report.record.images_read == 0);
  CHECK(report.record.images_reused == 18);
  CHECK(columns(Index::open(folder / "index", Index::Check::kFull)) == before);

  videos.every = 2;  // other frames of known videos
  report = build();
  CHECK(report.record.images_read == 0);
  CHECK(items_of(Index::open(folder / "index")).size() == 9);
  videos.every = 1;

  write_video(c, 5);  // one changed, one new
  write_video(folder / "videos/d.avi", 2);
  report = build();
  CHECK(report.record.images_read == 5 + 2);
  CHECK(report.record.images_reused == 14);

  CHECK(verify_index(folder / "index").bad.size() == 14);  // the content is not what was indexed
  CHECK(build().record.images_reused == 21);
  CHECK((Index::open(folder / "index").flags()[3] & kBad) != 0);  // still known

  fs::last_write_time(a, fs::last_write_time(a) + std::chrono::seconds(1));
  CHECK_THAT(data_error([&] { build(); }), contains_text("a.avi: no video"));
  for (const auto& [path, content] : whole) write(path, content);
  CHECK(build().record.images_read == 14);
  CHECK((Index::open(folder / "index").flags()[3] & kBad) == 0);
  CHECK(items_of(Index::open(folder / "index")).size() == 21);
}

TEST_CASE("What is missing of an unchanged video is checked again", "[videos]") {
  TempFolder folder;
  write_video(folder / "videos/a.avi", 30);
  const std::string whole = read_text_file(folder / "videos/a.avi");
  write(folder / "videos/a.avi", whole.substr(0, whole.size() * 6 / 10));
  VideosSource videos = videos_in(folder / "videos");
  videos.missing_frames = 25;
  const std::vector<std::string> items = items_of(index_videos(folder, videos));
  CHECK(items_of(index_videos(folder, videos)) == items);
  videos.missing_frames = 0;
  CHECK_THAT(data_error([&] { index_videos(folder, videos); }), contains_text("a.avi: damaged or truncated"));
}
