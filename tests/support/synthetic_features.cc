#include "support/synthetic_features.h"

#include "uir/base/random.h"

namespace uir {
namespace {

constexpr uint64_t kLookAlikeGroups = 1000;

// About normal, mean 0, variance 1: the sum of four 16-bit uniform numbers.
float bell(ItemRandom& random) {
  const uint64_t bits = random.next();
  const auto sum =
      static_cast<float>((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48));
  constexpr float kMean = 131070, kDeviation = 37837.227F;  // sqrt(4 · (2^32 − 1) / 12)
  return (sum - kMean) / kDeviation;
}

ItemRandom stream(uint64_t seed, uint64_t kind, uint64_t item) {
  return {seed, RandomPurpose::kSynthetic, kind, item};
}
enum : uint64_t { kIdentity, kPerson, kGroup, kImage, kNoise };

}  // namespace

int64_t SyntheticFeatures::label(int64_t row) const {
  if (row >= gallery) return -1;
  if (row < identities) return row;  // everybody has an image; most have some, a few many
  const double u = stream(seed, kIdentity, static_cast<uint64_t>(row)).uniform();
  return static_cast<int64_t>(u * u * static_cast<double>(identities));
}

void SyntheticFeatures::write(int64_t row, std::span<float> out) const {
  const int64_t identity = label(row);
  const auto person = static_cast<uint64_t>(identity >= 0 ? identity : row);
  ItemRandom own = stream(seed, kPerson, person);
  ItemRandom shared = stream(seed, kGroup, own.below(kLookAlikeGroups));
  ItemRandom noise = stream(seed, kNoise, static_cast<uint64_t>(row));
  ItemRandom image = stream(seed, kImage, static_cast<uint64_t>(row));
  // Genuine scores are about 1 / (1 + strength²); some images are hardly recognisable.
  const auto strength = static_cast<float>(image.chance(0.03) ? 1.6 : image.uniform(0.45, 0.95));
  const auto length = static_cast<float>(image.uniform(0.7, 1.3));
  float face_weight = 1;
  for (size_t d = 0; d < out.size(); ++d) {
    const float falling = 1 - 0.9F * static_cast<float>(d) / static_cast<float>(out.size());
    const float weight = spectrum == Spectrum::kFalling ? falling : face_weight;
    if (spectrum == Spectrum::kFace) face_weight *= 0.9940653F;  // exp(−1/168)
    const float direction = 0.9F * bell(own) + 0.436F * bell(shared);
    out[d] = length * weight * (direction + strength * bell(noise));
  }
}

}  // namespace uir
