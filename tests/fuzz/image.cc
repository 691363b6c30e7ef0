// Encoded images. Those of more than a million pixels are probed only, so that the fuzzer's time goes
// elsewhere.
#include "target.h"
#include "uir/images/decode.h"

UIR_FUZZ_TARGET(image) {
  const uir::ImageSize size = uir::probe_image(bytes);
  if (int64_t{size.width} * size.height > 1'000'000) return;
  const uir::RgbImage image = uir::decode_image(bytes);
  uir::ensure(image.size == size && image.pixels.size() >= size.num_bytes(), "the header tells the size");
  uir::checksum64(std::as_bytes(std::span(image.pixels)));
}
