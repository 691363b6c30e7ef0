// Passes that are recorded and launched, in the rehearsal that CPUs have, against passes that are called each
// time.
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include "support/host_reads.h"
#include "support/tiny_run.h"
#include "uir/train/network_passes.h"
//
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"

using namespace uir;

namespace {

constexpr int64_t kRows = 4, kPasses = NetworkPasses::kWarmUps + 3;

at::Tensor images(int64_t pass, int64_t rows = kRows) {
  at::manual_seed(100 + static_cast<uint64_t>(pass));
  return at::randint(0, 256, {rows, 112, 112, 3}, at::kByte);
}

at::Tensor gradient_like(const at::Tensor& embeddings, int64_t pass) {
  at::manual_seed(200 + static_cast<uint64_t>(pass));
  return at::randn(embeddings.sizes(), embeddings.options());
}

// As the optimizer does it.
void zero_gradients(const Backbone& network) {
  for (const at::Tensor& parameter : network.parameters()) {
    if (parameter.grad().defined()) parameter.grad().zero_();
  }
}

void train(NetworkPasses& passes, int64_t pass) {
  const at::Tensor embeddings = passes.forward(images(pass));
  passes.backward(gradient_like(embeddings, pass));
}

const ModelConfig kResidual{
    IResNetConfig{.depth = 18, .width = 0.0625, .embedding_size = 16, .dropout = 0.3}};
const ModelConfig kMobile{MobileFaceNetConfig{.width = 0.125, .embedding_size = 16}};

std::shared_ptr<TinyBackbone> tiny_network() {
  at::manual_seed(7);
  return std::make_shared<TinyBackbone>();
}

// The rehearsal, and which calls reached it.
struct Recorded : StepGraphs {
  explicit Recorded(std::string& calls) : calls(calls) {}
  void run(const Work& work) override {
    calls += "run ";
    rehearsal->run(work);
  }
  void record(const Work& work) override {
    calls += "record ";
    rehearsal->record(work);
  }
  void launch(size_t graph) override {
    calls += std::to_string(graph) + " ";
    rehearsal->launch(graph);
  }
  std::string& calls;
  std::unique_ptr<StepGraphs> rehearsal = make_step_graphs(at::kCPU);
};

struct Failing : StepGraphs {
  explicit Failing(std::function<void()> failure) : failure(std::move(failure)) {}
  void run(const Work& work) override { work(); }
  void record(const Work&) override { failure(); }
  void launch(size_t) override {}
  std::function<void()> failure;
};

}  // namespace

TEST_CASE("recorded passes give the same embeddings, gradients and statistics, to the bit") {
  const bool mobile = GENERATE(false, true);
  const at::ScalarType type = GENERATE(at::kFloat, at::kBFloat16);
  CAPTURE(mobile, type);
  const ModelConfig& config = mobile ? kMobile : kResidual;
  const auto called = make_backbone(config, 3), recorded = make_backbone(config, 3);
  NetworkPasses plain(called, type, nullptr), graphs(recorded, type, make_step_graphs(at::kCPU));
  for (int64_t pass = 0; pass < kPasses; ++pass) {
    CAPTURE(pass);
    if (pass % 2 == 0) {  // every other one adds to the gradients of the one before
      zero_gradients(*called);
      zero_gradients(*recorded);
    }
    const at::Tensor expected = plain.forward(images(pass)), embeddings = graphs.forward(images(pass));
    CHECK_FALSE(embeddings.requires_grad());
    REQUIRE(at::equal(embeddings, expected));
    plain.backward(gradient_like(expected, pass));
    graphs.backward(gradient_like(expected, pass));
    const auto parameters = recorded->parameters(), wanted = called->parameters();
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].requires_grad()) CHECK(at::equal(parameters[i].grad(), wanted[i].grad()));
    }
    const auto buffers = recorded->buffers(), wanted_buffers = called->buffers();
    for (size_t i = 0; i < wanted_buffers.size(); ++i) CHECK(at::equal(buffers[i], wanted_buffers[i]));
  }
}

TEST_CASE("passes run a few times, are recorded once each, and launched from then on") {
  std::string calls;
  const auto network = tiny_network();
  NetworkPasses passes(network, at::kFloat, std::make_unique<Recorded>(calls));
  for (int64_t pass = 0; pass < kPasses; ++pass) train(passes, pass);
  CHECK(calls == "run run run run run run record 0 record 1 0 1 0 1 ");
  CHECK(network->forwards == kPasses);
}

TEST_CASE("a recorded pass reads no tensor's value on the host, and leaves counters to begin_pass") {
  const bool mobile = GENERATE(false, true);
  const auto network = make_backbone(mobile ? kMobile : kResidual, 3);
  const at::Tensor pixels = normalize_pixels(images(0), at::kFloat);
  network->begin_pass(kRows);
  const auto counters = [&] {
    std::vector<int64_t> values;
    for (const at::Tensor& buffer : network->buffers()) {
      if (!buffer.is_floating_point()) values.push_back(*buffer.data_ptr<int64_t>());
    }
    return values;
  };
  const std::vector<int64_t> before = counters();
  REQUIRE_FALSE(before.empty());
  CHECK(before == std::vector<int64_t>(before.size(), 1));
  const HostReads reads;
  for (int pass = 0; pass < 2; ++pass) {
    const at::Tensor embeddings = network->pass(pixels);
    embeddings.backward(gradient_like(embeddings, 0));
  }
  CHECK(reads.count() == 0);
  CHECK(counters() == before);
}

TEST_CASE("embeddings of recorded passes lie where they lay, until the next pass") {
  NetworkPasses passes(tiny_network(), at::kFloat, make_step_graphs(at::kCPU));
  at::Tensor first, before;
  for (int64_t pass = 0; pass < kPasses; ++pass) {
    const at::Tensor embeddings = passes.forward(images(pass));
    if (pass == 0) first = embeddings;
    CHECK(embeddings.data_ptr() == first.data_ptr());
    if (pass > 0) CHECK_FALSE(at::equal(embeddings, before));
    before = embeddings.clone();
    passes.backward(gradient_like(embeddings, pass));
  }
}

TEST_CASE("memory that moves under recorded passes, and other shapes, are errors") {
  const auto network = tiny_network();
  NetworkPasses passes(network, at::kFloat, make_step_graphs(at::kCPU));
  for (int64_t pass = 0; pass < kPasses; ++pass) train(passes, pass);
  const auto next_forward_fails = [&](const std::string& why) {
    const auto error = error_of([&] { passes.forward(images(0)); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kInternal);
    CHECK(std::string(error->what()).find(why) != std::string::npos);
  };
  const at::Tensor gradient = network->weight.grad();
  SECTION("a gradient that is made anew") {
    network->weight.mutable_grad() = gradient.clone();
    next_forward_fails("stay where they are");
    network->weight.mutable_grad() = gradient;
    CHECK_FALSE(error_of([&] { train(passes, 0); }));
  }
  SECTION("a gradient that is gone") {
    network->weight.mutable_grad() = at::Tensor();
    next_forward_fails("stay where they are");
  }
  SECTION("a weight") {
    network->weight.set_data(network->weight.detach().clone());
    next_forward_fails("stay where they are");
  }
  SECTION("a running statistic") {
    network->calls.set_data(network->calls.clone());
    next_forward_fails("stay where they are");
  }
  SECTION("a gradient that is made anew between the passes") {
    const at::Tensor embeddings = passes.forward(images(0));
    network->weight.mutable_grad() = gradient.clone();
    CHECK(kind_of([&] { passes.backward(gradient_like(embeddings, 0)); }) == ErrorKind::kInternal);
  }
  SECTION("another number of images") {
    const auto error = error_of([&] { passes.forward(images(0, kRows - 1)); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kInternal);
  }
}

TEST_CASE("what a device cannot record is said with the remedy; too little memory stays what it is") {
  const auto run = [](std::function<void()> failure) {
    NetworkPasses passes(tiny_network(), at::kFloat, std::make_unique<Failing>(std::move(failure)));
    for (int64_t pass = 0; pass < kPasses; ++pass) train(passes, pass);
  };
  const auto error =
      error_of([&] { run([] { TORCH_CHECK(false, "operation not permitted when stream is capturing"); }); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kConfig);
  CHECK(std::string(error->what()) ==
        "train.cuda_graphs: the device cannot record the forward pass: operation not permitted when stream "
        "is capturing; set it to false");
  const auto too_large = [] { TORCH_CHECK_WITH(OutOfMemoryError, false, "too large"); };
  CHECK_THROWS_AS(run(too_large), c10::OutOfMemoryError);
  CHECK(kind_of([&] { run([] { fail(ErrorKind::kData, "of the network itself"); }); }) == ErrorKind::kData);
}
