// yunet/: detectors of faces with five points, the YuNet networks of OpenCV's model zoo, computed without
// OpenCV.
//
// Both published generations (face_detection_yunet_2022mar.onnx, …_2023mar.onnx) run whatever OpenCV there
// is, with the results of that OpenCV's FaceDetectorYN that runs the file: 4.5.4 to 4.7 the first one, 4.8
// and later the second one.
// Shapes: pictures uint8 RGB [height, width, 3] of any size; boxes and points in pixels, whose centres are
// whole numbers as OpenCV counts them.
// Cost: see forward_pass.h; some milliseconds for 640x360 on one thread.
// Errors: those of network.h. Threads: an object belongs to one thread at a time; results do not depend on
// what it saw before, and differ in the last bits between processors.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "uir/yunet/decode.h"
#include "uir/yunet/forward_pass.h"
#include "uir/yunet/network.h"

namespace uir {

class YuNet {
 public:
  explicit YuNet(const fs::path& onnx);
  YuNet(std::shared_ptr<const YuNetNetwork> network, const YuNetKernels& kernels);

  YuNetGeneration generation() const { return network_->generation; }
  // Those above min_score, best first; of faces that overlap by more than 0.3 the best one.
  std::vector<YuNetFace> detect(const uint8_t* rgb, int64_t width, int64_t height, float min_score);

 private:
  std::shared_ptr<const YuNetNetwork> network_;
  YuNetPass pass_;
};

}  // namespace uir
