// What plan/network_facts.h says of a network against the network: names and shapes of all parameters, and
// the bytes that a forward pass leaves allocated for backward, as LibTorch's allocator reports them.
#include <torch/torch.h>

#include "uir/model/backbone.h"
//
#include <map>
#include <unordered_map>

#include "support/catch.h"
#include "uir/plan/cost_model.h"
#include "uir/plan/network_facts.h"

namespace uir {
namespace {

ModelConfig iresnet(int64_t depth, double width) {
  return {IResNetConfig{.depth = depth, .width = width, .embedding_size = 32}};
}
ModelConfig mobilefacenet(bool large, double width) {
  return {MobileFaceNetConfig{.large = large, .width = width, .embedding_size = 32}};
}

TEST_CASE("network_facts names every parameter of the networks and knows its shape") {
  for (const ModelConfig& config : {iresnet(18, 1), iresnet(34, 0.25), iresnet(50, 0.1), iresnet(100, 0.03),
                                    iresnet(200, 0.03), mobilefacenet(false, 1), mobilefacenet(true, 0.5),
                                    mobilefacenet(true, 1), mobilefacenet(false, 0.1)}) {
    const auto network = make_uninitialized_backbone(config, 0);
    std::map<std::string, std::vector<int64_t>> shapes;
    for (const auto& [key, tensor] : named_state(*network)) shapes[key] = tensor.sizes().vec();
    const NetworkFacts facts = network_facts(config);
    CHECK(facts.parameters() == num_parameters(*network));
    CHECK(facts.embedding_size == network->embedding_size());
    size_t keys = 0;
    for (const LayerFacts& l : facts.layers) {
      INFO(l.name);
      const bool norm = l.kind == OpKind::kBatchNorm, conv = l.kind == OpKind::kConv;
      keys += norm ? 5 : l.bias ? 2 : 1;
      REQUIRE(shapes.contains(l.name + ".weight"));
      const std::vector<int64_t> vector{l.in_channels};
      const std::vector<int64_t> weight =
          conv ? std::vector<int64_t>{l.out_channels, l.in_channels / l.groups, l.kernel, l.kernel}
          : l.kind == OpKind::kLinear ? std::vector<int64_t>{l.out_channels, l.in_channels}
                                      : std::vector<int64_t>{l.in_channels};
      CHECK(shapes.at(l.name + ".weight") == weight);
      if (norm) CHECK(shapes.at(l.name + ".running_var") == vector);
    }
    CHECK(keys == shapes.size());
  }
}

// The type of the totals in LibTorch's report: int64_t or size_t, by version.
template <class Member>
struct ReportedTotal;
template <class Base, class... Rest, class T>
struct ReportedTotal<void (Base::*)(void*, int64_t, T, Rest...)> {
  using Type = T;
};
using Total = ReportedTotal<decltype(&c10::MemoryReportingInfoBase::reportMemoryUsage)>::Type;

// Bytes that this thread has allocated and not freed since the construction, and the most at any time.
class AllocatedBytes : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, int64_t size, Total, Total, c10::Device) override { add(size); }
  bool memoryProfilingEnabled() const override { return true; }
  int64_t now() const { return now_; }
  int64_t peak() const { return peak_; }

 private:
  void add(int64_t size) {
    now_ += size;
    peak_ = std::max(peak_, now_);
  }
  int64_t now_ = 0, peak_ = 0;
};

// What a training pass of `batch` images allocates beside weights and gradients.
struct PassBytes {
  int64_t kept, peak;  // after the forward pass; at most, backward included
};
PassBytes pass_bytes(const ModelConfig& config, int64_t batch, at::ScalarType type) {
  const auto network = make_backbone(config, 1);
  network->train();
  const at::Tensor images = at::zeros({batch, 112, 112, 3}, at::kByte);
  const auto step = [&] {
    const at::Tensor embeddings = network->forward(normalize_pixels(images, type));
    return embeddings;
  };
  step().backward(at::zeros({batch, network->embedding_size()}));  // gradients exist from here on
  const auto counter = std::make_shared<AllocatedBytes>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, counter);
  const at::Tensor embeddings = step();
  const int64_t kept = counter->now() - static_cast<int64_t>(embeddings.nbytes());
  embeddings.backward(at::zeros({batch, network->embedding_size()}));
  return {kept, counter->peak()};
}

TEST_CASE("a training pass takes the memory that network_facts and the cost model say") {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);  // the counter belongs to a thread
  for (const ModelConfig& config :
       {iresnet(18, 0.25), iresnet(34, 0.1), mobilefacenet(false, 0.5), mobilefacenet(true, 0.25)}) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      TrainingPlan plan;
      plan.network = network_facts(config);
      plan.data.classes = 1;
      plan.labeled = 4;
      plan.unlabeled = 0;
      plan.activation_bytes = static_cast<int64_t>(c10::elementSize(type));
      double beside = 0;  // batch statistics, 16-bit copies of weights
      for (const LayerFacts& l : plan.network.layers) {
        const bool narrow = plan.activation_bytes < 4 && !l.always_float32;
        if (l.kind == OpKind::kBatchNorm) beside += 2 * 4 * static_cast<double>(l.in_channels);
        if (l.kind == OpKind::kConv && narrow) beside += 2 * static_cast<double>(l.parameters());
      }
      const double kept = 4 * kept_bytes_of_image(plan) + beside;
      double peak = beside;
      for (const Amount& part : memory_of_rank(plan).device) {
        if (part.what.starts_with("activations") || part.what.starts_with("work space")) peak += part.value;
      }
      const PassBytes measured = pass_bytes(config, 4, type);
      INFO(kept << " bytes kept, " << measured.kept << " measured; at most " << peak << ", "
                << measured.peak);
      CHECK(kept == Approx(measured.kept).epsilon(0.002));
      // Processors without bf16 convolutions work on wider copies.
      CHECK(peak == Approx(measured.peak).epsilon(type == at::kFloat ? 0.05 : 0.2));
    }
  }
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace uir
