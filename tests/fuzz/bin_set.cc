// Verification sets: Python pickles.
#include "uir/formats/bin_set.h"
#include "target.h"

UIR_FUZZ_TARGET(bin_set) {
  const uir::fuzz::InputFile file(bytes);
  const uir::BinSet set(file.path());
  for (int64_t i = 0; i < set.num_images(); ++i) uir::checksum64(set.image(i));
}
