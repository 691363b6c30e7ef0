#include "uir/images/video_file.h"

#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "support/video_files.h"

using namespace uir;

TEST_CASE("A frame has the same pixels whatever was read before", "[video_file]") {
  TempFolder folder;
  const fs::path path = folder / "a.avi";
  write_video(path, 23);
  const std::vector<cv::Mat> expected = frames_in_order(path);
  REQUIRE(expected.size() == 23);
  VideoReader reader(path);
  CHECK(reader.size() == ImageSize{160, 120});
  CHECK(reader.frames_per_second() == 25);
  CHECK(reader.announced_frames() == 23);
  for (const int64_t number : {0, 1, 5, 5, 22, 3, 4, 21, 0, 0, 9, 22}) {
    CAPTURE(number);
    REQUIRE(same_pixels(reader.frame(number), expected[static_cast<size_t>(number)]));
    CHECK(reader.position() == number);
  }
  const auto beyond = error_of([&] { reader.frame(23); });
  REQUIRE(beyond);
  CHECK(beyond->kind() == ErrorKind::kData);
  CHECK_THAT(beyond->what(), contains_text("ends after 23 frames"));
  CHECK(same_pixels(reader.frame(7), expected[7]));
  CHECK(VideoReader(path).count_frames() == 23);
}
