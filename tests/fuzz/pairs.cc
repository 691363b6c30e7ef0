// Lists of verification pairs, noise lists and frame qualities: the first byte chooses.
#include "uir/eval/pairs.h"

#include "target.h"
#include "uir/eval/noise_list.h"
#include "uir/eval/video.h"

UIR_FUZZ_TARGET(pairs) {
  constexpr std::array<std::string_view, 4> items{"Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", "Bob/Bob_0001.jpg",
                                                  "v/1.jpg"};
  const size_t choice = uir::fuzz::take_choice(bytes, 5);
  const uir::fuzz::InputFile file(bytes);
  if (choice == 3) return (void)uir::noisy_rows(file.path(), items);
  if (choice == 4) return (void)uir::read_frame_qualities(file.path(), items);
  constexpr std::array formats{uir::PairsFormat::kLfw, uir::PairsFormat::kCalfw,
                               uir::PairsFormat::kPathPairs};
  (void)uir::read_pairs(file.path(), formats[choice], items, uir::MissingImages::kLeaveOut);
  (void)uir::read_pairs(file.path(), formats[choice], items);
}
