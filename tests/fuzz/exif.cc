// The orientation tag of a JPEG (EXIF).
#include "target.h"
#include "uir/images/orientation.h"

UIR_FUZZ_TARGET(exif) {
  const auto value = static_cast<int>(uir::orientation_of(bytes));
  uir::ensure(value >= 1 && value <= 8, "an orientation is one of eight");
}
