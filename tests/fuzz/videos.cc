// Lists of videos and of open-set identification, and the saved state of a scan: the first byte chooses.
#include "target.h"
#include "uir/eval/open_set.h"
#include "uir/eval/video.h"
#include "uir/eval/video_retrieval.h"
#include "uir/search/scan_state.h"

UIR_FUZZ_TARGET(videos) {
  constexpr std::array<std::string_view, 4> items{"a.mp4/000000.jpg", "a.mp4/000001.jpg", "b.mp4/000000.jpg",
                                                  "c/1.jpg"};
  const size_t choice = uir::fuzz::take_choice(bytes, 6);
  if (choice == 4) {
    const auto parts = uir::fuzz::split<2>(bytes);
    const uir::fuzz::InputFile gallery(parts[0]), probes(parts[1]);
    return (void)uir::read_open_set_lists(gallery.path(), probes.path(), items);
  }
  if (choice == 5) {  // with the checksum that it should have, so that its content is looked at
    const std::string text = std::string("uir-scan-state\n\x01", 16) + std::string(uir::as_text(bytes));
    const uint64_t checksum = uir::checksum64(uir::as_bytes(text));
    const uir::fuzz::InputFile file(
        uir::as_bytes(text + std::string(reinterpret_cast<const char*>(&checksum), 8)));
    return (void)uir::load_scan_state(file.path(), 1);
  }
  const uir::fuzz::InputFile file(bytes);
  if (choice == 0) return (void)uir::read_gallery(file.path());
  if (choice == 1) return (void)uir::read_ground_truth(file.path());
  if (choice == 2) return (void)uir::submission_text(uir::read_submission(file.path()));
  (void)uir::read_video_labels(file.path(), uir::VideoFrames(items));
}
