#include "uir/yunet/yunet.h"

#include <algorithm>
#include <utility>

namespace uir {
namespace {

// Black to the right and below changes no coordinate. The trunk of 2022 halves odd sizes, too; what is
// smaller than this has no pixel at its coarsest scale.
int64_t seen(int64_t side, YuNetGeneration generation) {
  constexpr int64_t kLeast = 64, kMultiple = 32;
  side = std::max(side, kLeast);
  return generation == YuNetGeneration::k2022 ? side : (side + kMultiple - 1) / kMultiple * kMultiple;
}

}  // namespace

YuNet::YuNet(const fs::path& onnx)
    : YuNet(std::make_shared<const YuNetNetwork>(read_yunet(onnx)), yunet_kernels().front()) {}
YuNet::YuNet(std::shared_ptr<const YuNetNetwork> network, const YuNetKernels& kernels)
    : network_(std::move(network)), pass_(*network_, kernels) {}

std::vector<YuNetFace> YuNet::detect(const uint8_t* rgb, int64_t width, int64_t height, float min_score) {
  const YuNetPicture picture{rgb, width, height, seen(width, generation()), seen(height, generation())};
  return best_of_each(decode(generation(), pass_.run(picture), min_score));
}

}  // namespace uir
