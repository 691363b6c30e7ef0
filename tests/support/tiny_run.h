// A data set of synthetic faces and a network of one linear layer: training runs that take milliseconds.
#pragma once

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/randn.h>

#include <limits>
#include <memory>
#include <set>

#include "support/temp_folder.h"
#include "uir/data/index_builder.h"
#include "uir/model/backbone.h"

// Embeddings are a linear map of the image shrunk to 4x4. Emits NaN in the forward passes of `poisoned`
// (counted from 0). Its blueprint says nothing but the embedding's size.
class TinyBackbone : public uir::Backbone {
 public:
  static constexpr int64_t kDim = 8;
  TinyBackbone() : Backbone({{}, kDim}, /*seed=*/0) {
    weight = register_parameter("weight", at::randn({48, kDim}, at::TensorOptions().dtype(at::kFloat)) * 0.1);
    calls = register_buffer("calls", at::zeros({1}));
  }
  at::Tensor pass(const at::Tensor& pixels) override {
    calls.add_(1);  // a running statistic
    at::Tensor out = at::adaptive_avg_pool2d(pixels, {4, 4}).flatten(1).matmul(weight);
    if (poisoned.contains(forwards++)) out = out * std::numeric_limits<double>::quiet_NaN();
    return out;
  }

  at::Tensor weight, calls;
  std::set<int64_t> poisoned;
  int64_t forwards = 0;
};

inline uir::SourceConfig synthetic_source(const std::string& name, uir::Role role, int64_t identities,
                                          int64_t images, int64_t first) {
  uir::SourceConfig source;
  source.name = name;
  source.role = role;
  uir::SyntheticSource synthetic;
  synthetic.identities = identities;
  synthetic.images_per_identity = images;
  synthetic.first_identity = first;
  source.kind = synthetic;
  return source;
}

// 6 people with 5 images each, 12 strangers, 4 test people with 3 images each.
inline uir::DataConfig tiny_data() {
  uir::DataConfig data;
  data.sources = {synthetic_source("people", uir::Role::kLabeled, 6, 5, 0),
                  synthetic_source("strangers", uir::Role::kUnlabeled, 12, 1, 100),
                  synthetic_source("test", uir::Role::kTest, 4, 3, 200)};
  data.loader.threads = 2;
  return data;
}
