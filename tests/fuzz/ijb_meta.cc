// The five lists of IJB: faces, points, pairs, two galleries and probes.
#include "uir/eval/ijb_meta.h"

#include "target.h"

UIR_FUZZ_TARGET(ijb_meta) {
  const auto parts = uir::fuzz::split<6>(bytes);
  const uir::fuzz::InputFile faces(parts[0]), points(parts[1]), pairs(parts[2]), first(parts[3]),
      second(parts[4]), probes(parts[5]);
  const uir::IjbFiles files{faces.path(),  points.path(), pairs.path(), {first.path(), second.path()},
                            probes.path(), {"G1", "G2"}};
  const uir::IjbImages images = uir::read_ijb_images(files);
  (void)uir::read_ijb_pairs(files.pairs, images.templates);
  (void)uir::read_ijb_search(files, images.templates);
}
