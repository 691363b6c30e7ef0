#include "uir/images/face_detector.h"

#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/real_data.h"

using namespace uir;

TEST_CASE("Of the two published detectors the fitting one runs, and finds no face where there is none",
          "[face_detector]") {
  const fs::path folder = real_data("detector");
  if (folder.empty()) return;
  for (const char* name : {"face_detection_yunet_2022mar.onnx", "face_detection_yunet_2023mar.onnx"}) {
    const auto error = error_of([&] { FaceDetector(folder / name, 0.5f, 640); });
    CHECK(error.has_value() == (std::string(name) != fitting_detector()));
    if (error) CHECK(std::string(error->what()).find(fitting_detector()) != std::string::npos);
  }
  FaceDetector detector(folder / fitting_detector(), 0.3f, 640);
  CHECK(detector.detect({{320, 320}, std::vector<uint8_t>(320 * 320 * 3)}).empty());  // black
  CHECK(detector.detect({{1, 1}, {1, 2, 3}}).empty());
}
