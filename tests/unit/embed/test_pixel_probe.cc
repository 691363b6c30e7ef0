// Finding out how a network wants its pixels, on networks that are known.
#include "uir/embed/pixel_probe.h"

#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>

#include "uir/model/backbone.h"
#include "uir/pixels/pixels.h"
//
#include "support/catch.h"

using namespace uir;

namespace {

constexpr int64_t kPairs = 64;

// Where the pixels of each colour lie.
constexpr std::array<double, 3> kCenter{60, 127, 200};

// Pairs of noisy copies of coloured patterns: people.
at::Tensor people() {
  at::manual_seed(1);
  at::Tensor person = at::rand({kPairs, 1, 14, 14, 3}) * 80 - 40;
  for (int64_t c = 0; c < 3; ++c) person.select(4, c).add_(kCenter[static_cast<size_t>(c)]);
  const at::Tensor both = person + at::randn({kPairs, 2, 14, 14, 3}) * 15;
  return both.reshape({2 * kPairs, 14, 14, 3})
      .repeat_interleave(8, 1)
      .repeat_interleave(8, 2)
      .clamp(0, 255)
      .to(at::kByte);
}

// A network that was made for a preparation: features that bend away from where it knows the pixels of a
// colour.
class Network {
 public:
  explicit Network(const PixelPreparation& own) : own_(own) {}
  mutable int64_t faces = 0;

  at::Tensor operator()(const at::Tensor& images, const PixelPreparation& given) const {
    faces += images.size(0);
    // What it sees, undone with what it was made for: bytes again if the two agree.
    const at::Tensor pixels = prepare_pixels(images, given);
    const PixelScale scale = pixel_scale(own_);
    std::vector<at::Tensor> channels(3);
    for (size_t c = 0; c < 3; ++c)
      channels[static_cast<size_t>(scale.source[c])] =
          (pixels.select(1, static_cast<int64_t>(c)) - scale.shift[c]) / scale.scale[c];
    std::vector<at::Tensor> features;
    for (size_t c = 0; c < 3; ++c)
      features.push_back(
          at::tanh((channels[c] - kCenter[c]) / 30).slice(1, 0, 112, 8).slice(2, 0, 112, 8).flatten(1));
    return at::cat(features, 1);
  }

 private:
  PixelPreparation own_;
};

PixelDecision decided(const Network& network, std::optional<PixelRange> range = {},
                      std::optional<ColorOrder> order = {}) {
  return decide_pixels(people(), range, order,
                       [&](const at::Tensor& images, const PixelPreparation& preparation) {
                         return network(images, preparation);
                       });
}

bool alike(PixelRange a, PixelRange b) {
  return a == b || (a != PixelRange::kBytes && b != PixelRange::kBytes &&
                    text_of(a).substr(0, 9) == text_of(b).substr(0, 9));
}

}  // namespace

TEST_CASE("range and order of colours are found on faces of known people") {
  for (const PixelRange range : kPixelRanges) {
    for (const ColorOrder order : kColorOrders) {
      const PixelPreparation own{range, order};
      INFO(text_of(own));
      const PixelDecision found = decided(Network(own));
      INFO(found.because);
      REQUIRE(found.range);
      CHECK(alike(*found.range, range));
      CHECK(found.order == order);
    }
  }
}

TEST_CASE("what is known is not tried") {
  const Network network({PixelRange::kUnit, ColorOrder::kBgr});
  const PixelDecision found = decided(network, PixelRange::kUnit);
  CHECK(found.order == ColorOrder::kBgr);
  CHECK(found.tried.size() == 2);
  CHECK(network.faces == 2 * 2 * kFewestProbePairs);
}

TEST_CASE("where nothing speaks for one order, none is chosen") {
  // Grey faces: the order makes no difference.
  const at::Tensor grey = people().select(3, 0).unsqueeze(3).expand({-1, -1, -1, 3}).contiguous();
  const Network network({PixelRange::kSigned, ColorOrder::kRgb});
  const PixelDecision found = decide_pixels(grey, PixelRange::kSigned, std::nullopt,
                                            [](const at::Tensor& images, const PixelPreparation& p) {
                                              return prepare_pixels(images, p).mean(1).flatten(1);
                                            });
  CHECK_FALSE(found.order);
  CHECK_THAT(found.because, contains_text("standard errors"));
}

TEST_CASE("too few pairs decide nothing") {
  const PixelDecision found = decide_pixels(people().slice(0, 0, 2 * (kFewestProbePairs - 1)), std::nullopt,
                                            std::nullopt, Network({PixelRange::kUnit, ColorOrder::kRgb}));
  CHECK_FALSE(found.range);
  CHECK(found.tried.empty());
  CHECK_THAT(found.because, contains_text("20 are needed"));
}

TEST_CASE("prepared pixels are what the texts say") {
  at::Tensor image = at::zeros({1, kImageSize, kImageSize, 3}, at::kByte);
  const std::array<double, 3> rgb{10, 100, 250};
  for (int64_t c = 0; c < 3; ++c) image[0][3][5][c] = rgb[static_cast<size_t>(c)];
  const auto value = [&](PixelRange range, ColorOrder order, int64_t channel) {
    return prepare_pixels(image, {range, order})[0][channel][3][5].item<double>();
  };
  using Catch::Detail::Approx;
  CHECK(value(PixelRange::kBytes, ColorOrder::kRgb, 0) == 10);
  CHECK(value(PixelRange::kBytes, ColorOrder::kBgr, 0) == 250);
  CHECK(value(PixelRange::kSigned, ColorOrder::kRgb, 2) == Approx((250 - 127.5) / 127.5));
  CHECK(value(PixelRange::kSigned128, ColorOrder::kRgb, 1) == Approx((100 - 127.5) / 128));
  CHECK(value(PixelRange::kUnit, ColorOrder::kBgr, 2) == Approx(10 / 255.0));
  CHECK(value(PixelRange::kImageNet, ColorOrder::kRgb, 0) == Approx((10 / 255.0 - 0.485) / 0.229));
  CHECK(value(PixelRange::kImageNet, ColorOrder::kBgr, 0) == Approx((250 / 255.0 - 0.406) / 0.225));
}
