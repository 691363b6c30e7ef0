// How iresnet.cc and mobilefacenet.cc write their blueprints.
//
// A value is named by the operation that makes it. Each call appends an operation on a value and returns its
// result; shapes follow from those of the input.
#pragma once

#include <cstdint>
#include <string>

#include "uir/network/blueprint.h"

namespace uir {

// Channels at a width: the nearest multiple of 8, at least 8.
int64_t scaled_channels(int64_t channels, double width);

struct Convolution {
  int64_t out = 0;
  int64_t kernel = 3, stride = 1, padding = 1, groups = 1;
};
inline Convolution pointwise(int64_t out, int64_t stride = 1) { return {out, 1, stride, 0}; }
inline Convolution depthwise(int64_t channels, int64_t stride) {
  return {.out = channels, .stride = stride, .groups = channels};
}

class BlueprintWriter {
 public:
  int64_t conv(const std::string& name, int64_t x, const Convolution& convolution);  // without a bias
  int64_t batch_norm(const std::string& name, int64_t x, bool trained = true);
  int64_t prelu(const std::string& name, int64_t x);
  int64_t add(const std::string& name, int64_t x, int64_t shortcut);
  int64_t flatten(int64_t x);
  int64_t linear(const std::string& name, int64_t x, int64_t out, bool bias);
  // What is appended from here on is always computed in float32.
  void continue_in_float32() { float32_ = true; }

  int64_t channels(int64_t x) const;
  Blueprint finish(double dropout = 0);

 private:
  // An operation that keeps the shape of its input.
  Op start(OpKind kind, const std::string& name, int64_t x) const;
  int64_t append(Op op);

  std::vector<Op> ops_;
  bool float32_ = false;
};

Blueprint iresnet_blueprint(const IResNetConfig& config);
Blueprint mobilefacenet_blueprint(const MobileFaceNetConfig& config);

}  // namespace uir
