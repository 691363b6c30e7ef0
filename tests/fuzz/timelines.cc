// Lists of who appears when, measured against each other, and of annotated spans: the first byte chooses.
#include "target.h"
#include "uir/eval/appearances.h"
#include "uir/eval/timeline_score.h"

UIR_FUZZ_TARGET(timelines) {
  const size_t choice = uir::fuzz::take_choice(bytes, 3);
  if (choice == 0) {
    const auto parts = uir::fuzz::split<2>(bytes);
    const uir::fuzz::InputFile truth(parts[0]), found(parts[1]);
    const std::array<uir::fs::path, 1> reference{truth.path()}, hypothesis{found.path()};
    const uir::AppearancesOfVideos ours = uir::read_appearances(reference);
    for (const auto& [video, people] : uir::read_appearances(hypothesis)) {
      const auto other = ours.find(video);
      if (other == ours.end()) continue;
      (void)uir::score_video(other->second, people, {people.extent()}, 250'000).all_names();
    }
    return;
  }
  const uir::fuzz::InputFile file(bytes);
  (void)(choice == 1 ? uir::read_spans(file.path()) : uir::read_uem(file.path()));
}
