// Config of the head: margin softmax over the labeled rows, UIR loss over the unlabeled rows. Free of
// LibTorch.
#pragma once

#include <array>
#include <cstdint>
#include <variant>

#include "uir/config/visitor.h"

namespace uir {

// How the margin enters the gradient.
enum class MarginGradient { kExact, kStraightThrough };
template <>
struct EnumNames<MarginGradient> {
  static constexpr std::array<EnumName<MarginGradient>, 2> value{
      {{MarginGradient::kExact, "exact"}, {MarginGradient::kStraightThrough, "straight_through"}}};
};

// The three forms of the UIR loss; docs/losses.md has the formulas.
enum class UirReduction { kReleased, kMean, kSum };
template <>
struct EnumNames<UirReduction> {
  static constexpr std::array<EnumName<UirReduction>, 3> value{
      {{UirReduction::kReleased, "released"}, {UirReduction::kMean, "mean"}, {UirReduction::kSum, "sum"}}};
};

// cos(m1 theta + m2) - m3: ArcFace (1, 0.5, 0), CosFace (1, 0, 0.4), plain normalised softmax (1, 0, 0).
struct CombinedMarginConfig {
  static constexpr std::string_view kType = "combined";
  double m1 = 1;
  double m2 = 0.5;
  double m3 = 0;
  MarginGradient gradient = MarginGradient::kExact;
};
template <class Visitor>
void describe(Visitor& v, CombinedMarginConfig& c) {
  v.field("m1", c.m1, "Factor of the angle (SphereFace).", Between{1, 4});
  v.field("m2", c.m2, "Added to the angle [rad] (ArcFace: 0.5).", Between{0, 1.5});
  v.field("m3", c.m3, "Subtracted from the cosine (CosFace: 0.4).", Between{0, 1});
  v.field("gradient", c.gradient,
          "exact: through the margin, with ArcFace's fallback beyond pi; straight_through: as arcface_torch "
          "does.");
}

// Kim et al., AdaFace, CVPR 2022.
struct AdaFaceConfig {
  static constexpr std::string_view kType = "adaface";
  double margin = 0.4;
  double h = 0.333;
  double momentum = 0.01;
};
template <class Visitor>
void describe(Visitor& v, AdaFaceConfig& c) {
  v.field("margin", c.margin, "m of the paper.", Between{0, 1});
  v.field("h", c.h, "Concentration of the feature norms.", GreaterThan{0});
  v.field("momentum", c.momentum,
          "Weight of the current batch in the running mean and deviation of the norms.", Between{0, 1});
}

struct HeadConfig {
  std::variant<CombinedMarginConfig, AdaFaceConfig> margin;
  double scale = 64;
  double margin_warmup_epochs = 0;
  double sample_rate = 1;
  int64_t class_tile = 0;
};
template <class Visitor>
void describe(Visitor& v, HeadConfig& c) {
  v.variant("type", c.margin, "The margin on the labeled rows.");
  v.field("scale", c.scale, "s: logits are s times the cosine.", GreaterThan{0});
  v.field("margin_warmup_epochs", c.margin_warmup_epochs,
          "The margin grows linearly from 0 over these epochs.", AtLeast{0});
  v.field("sample_rate", c.sample_rate,
          "Share of the classes that labeled rows meet in a step, drawn anew each time (Partial FC); 1: all. "
          "Unlabeled rows always meet all.",
          GreaterThan{0}, AtMost{1});
  v.field("class_tile", c.class_tile, "Classes handled at a time; 0: chosen for the cache.", AtLeast{0});
}

struct UirConfig {
  double weight = 0.1;
  UirReduction reduction = UirReduction::kReleased;
  double start_epoch = 0;
};
template <class Visitor>
void describe(Visitor& v, UirConfig& c) {
  v.field("weight", c.weight,
          "lambda: total loss = labeled loss + lambda * UIR loss. 0: measured, not trained on.", AtLeast{0});
  v.field("reduction", c.reduction,
          "released: the authors' code (needs about 10 to 1000 times the weight of mean); mean: KL(uniform "
          "|| p); "
          "sum: classes times that.");
  v.field("start_epoch", c.start_epoch, "The weight is 0 before this epoch.", AtLeast{0});
}

}  // namespace uir
