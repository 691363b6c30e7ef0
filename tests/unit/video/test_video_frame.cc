#include "uir/video/video_frame.h"

#include <cstdlib>

#include "read_videos.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/video/video_reader.h"

using namespace uir;

TEST_CASE("A frame that was kept is the same when its reader has gone on, and when it is gone",
          "[video_frame]") {
  const TempFolder folder;
  write_video(folder / "a.avi", 12, {160, 120});
  std::vector<VideoFrame> kept;
  {
    VideoReader reader(folder / "a.avi");
    while (reader.next()) kept.push_back(reader.keep());
  }
  const std::vector<cv::Mat> frames = frames_in_order(folder / "a.avi");
  REQUIRE(kept.size() == frames.size());
  VideoReader reader(folder / "a.avi");
  for (size_t i = 0; i < kept.size(); ++i) {
    REQUIRE(reader.next());
    CHECK(kept[i].facts() == reader.facts());
    RgbImage image;
    kept[i].picture(image);
    CHECK(same_pixels(image, frames[i]));
  }
  CHECK(VideoFrame().empty());
}

TEST_CASE("Thumbnails are the picture's means, whatever its pixels are stored as", "[video_frame]") {
  const TempFolder folder;
  const auto thumbnail_of = [&](const std::string& format, const std::string& codec) {
    VideoRecipe recipe;
    recipe.codec = codec;
    recipe.pixel_format = format;
    write_video(folder / "a.mkv", recipe, 1, {320, 180});
    VideoReader reader(folder / "a.mkv");
    REQUIRE(reader.next());
    return reader.keep().thumbnail();
  };
  const Thumbnail planes = thumbnail_of("yuvj420p", "mjpeg");
  const cv::Mat frame = drawn_frame(0, {320, 180});
  int worst = 0;
  for (int y = 0; y < kThumbnailHeight; ++y) {
    for (int x = 0; x < kThumbnailWidth; ++x) {
      const cv::Scalar mean = cv::mean(frame(cv::Rect(x * 10, y * 10, 10, 10)));
      const double luma = 0.114 * mean[0] + 0.587 * mean[1] + 0.299 * mean[2];
      worst = std::max(
          worst, std::abs(planes[static_cast<size_t>(y * kThumbnailWidth + x)] - static_cast<int>(luma)));
    }
  }
  CHECK(worst <= 24);  // sixteen of a hundred pixels count
  if (!has_encoder("ffv1")) return;
  const Thumbnail colors = thumbnail_of("bgr0", "ffv1");
  int sum = 0;
  for (size_t i = 0; i < planes.size(); ++i) sum += std::abs(planes[i] - colors[i]);
  CHECK(sum < 4 * static_cast<int>(planes.size()));
}
