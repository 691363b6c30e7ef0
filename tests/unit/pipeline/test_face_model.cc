#include "uir/pipeline/face_model.h"

#include <ATen/ops/stack.h>

#include "support/catch.h"

using namespace uir;

namespace {

// Mean of the left half of the picture, and of the right.
Embedder halves() {
  return {2, [](const at::Tensor& images) {
            const at::Tensor columns = images.to(at::kFloat).mean({1, 3});
            return at::stack(
                {columns.slice(1, 0, kImageSize / 2).mean(1), columns.slice(1, kImageSize / 2).mean(1)}, 1);
          }};
}

FacePixels face(uint8_t left, uint8_t right) {
  FacePixels pixels;
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = i / 3 % kImageSize < kImageSize / 2 ? left : right;
  return pixels;
}

}  // namespace

TEST_CASE("A face's embedding is that of itself, or the sum with its mirror image's", "[identify]") {
  const FacePixels a = face(10, 30), b = face(7, 7), c = face(0, 200);
  const std::vector<const FacePixels*> faces{&a, &b, &c};
  ExtractConfig config;
  config.batch = 2;  // the third one is alone in its batch
  config.mirrored = false;
  CHECK(face_embedder(halves(), at::kCPU, config).embed(faces) == std::vector<float>{10, 30, 7, 7, 0, 200});
  config.mirrored = true;
  CHECK(face_embedder(halves(), at::kCPU, config).embed(faces) ==
        std::vector<float>{40, 40, 14, 14, 200, 200});
}
