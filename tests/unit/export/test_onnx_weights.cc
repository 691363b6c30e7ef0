// Exported networks as weights again: what went out comes back, however it was written.
#include <ATen/ATen.h>

#include "support/random_network.h"
#include "uir/onnx/state_dict.h"
//
#include <array>

#include "support/catch.h"
#include "support/errors.h"
#include "support/onnx_networks.h"
#include "uir/export/network_graph.h"
#include "uir/export/onnx_network.h"
#include "uir/model/state_dict.h"

namespace uir {
namespace {

fs::path write(const TempFolder& folder, const NetworkGraph& graph,
               const std::map<std::string, std::string>& metadata = {}) {
  OutputFile out(folder / "network.onnx");
  write_onnx_network(graph, 17, metadata, out);
  out.close();
  return out.path();
}

std::map<std::string, at::Tensor> tensors_of(const OnnxStateDict& dict) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, array] : dict.tensors) {
    const at::Tensor numbers = at::empty(array.shape, at::kFloat);
    std::copy(array.values.begin(), array.values.end(), numbers.data_ptr<float>());
    tensors.emplace(name, numbers);
  }
  return tensors;
}

double difference(Backbone& a, Backbone& b) {
  const at::NoGradGuard no_grad;
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(5);
  const at::Tensor faces = at::randint(0, 256, {3, 112, 112, 3}, generator, at::TensorOptions(at::kByte));
  const at::Tensor x = a.forward(normalize_pixels(faces, at::kFloat)),
                   y = b.forward(normalize_pixels(faces, at::kFloat));
  return ((x - y).norm(2, {1}) / x.norm(2, {1})).max().item<double>();
}

const std::array<ModelConfig, 7> kNetworks{
    ModelConfig{IResNetConfig{.depth = 18, .width = 0.125, .embedding_size = 24}},
    ModelConfig{IResNetConfig{.depth = 50, .width = 0.125, .embedding_size = 16}},
    ModelConfig{MobileFaceNetConfig{.width = 0.125, .embedding_size = 20}},
    ModelConfig{MobileFaceNetConfig{.large = true, .width = 0.0625, .embedding_size = 16}},
    ModelConfig{IResNetConfig{.depth = 34, .width = 0.125, .embedding_size = 16}},
    ModelConfig{IResNetConfig{.depth = 100, .width = 0.125, .embedding_size = 16}},
    ModelConfig{IResNetConfig{.depth = 200, .width = 0.125, .embedding_size = 16}}};

TEST_CASE("an exported network is read back as weights that compute the same", "[onnx]") {
  const TempFolder folder;
  for (const ModelConfig& config : kNetworks) {
    const auto* residual = std::get_if<IResNetConfig>(&config.backbone);
    const auto network = random_network(config, residual && residual->depth >= 50 ? 0.1 : 1);
    for (const bool folded : {false, true}) {
      for (const bool normalized : {false, true}) {
        NetworkGraph graph = network_graph(*network);
        if (folded) graph = with_folded_batch_norms(std::move(graph));
        if (normalized) graph = with_normalization(std::move(graph));
        const OnnxStateDict found = state_dict_of(open_face_network(write(folder, graph), "", 2));
        CHECK(found.config == config);
        const auto again = make_uninitialized_backbone(config, 0);
        load_state_dict(*again, tensors_of(found));
        again->eval();
        INFO("folded " << folded << ", normalized " << normalized << ", " << config.backbone.index());
        CHECK(difference(*network, *again) < 1e-5);
        if (folded) continue;
        for (const auto& [name, tensor] : tensors_of(found))
          CHECK(tensor.equal(state_dict(*network).at(name)));
      }
    }
  }
}

TEST_CASE("pixels divided by 128 become those divided by 127.5", "[onnx]") {
  const TempFolder folder;
  const auto network = random_network(kNetworks[2]);
  NetworkGraph graph = with_normalization(network_graph(*network));
  const fs::path path = write(folder, graph);
  FaceNetwork file = open_face_network(path, "", 1);
  const std::vector<float> scale{1 / 128.0F};
  for (OnnxTensor& tensor : file.file.model.tensors) {
    if (tensor.name == "normalize.scale") tensor.data = std::as_bytes(std::span(scale));
  }
  const auto again = make_uninitialized_backbone(kNetworks[2], 0);
  load_state_dict(*again, tensors_of(state_dict_of(file)));
  const at::Tensor first = state_dict(*again).at("layers.0.layers.0.weight");
  const at::Tensor before = state_dict(*network).at("layers.0.layers.0.weight");
  CHECK(first.allclose(before * (127.5 / 128), 1e-6));
  CHECK_FALSE(first.allclose(before, 1e-4));
}

TEST_CASE("another network is refused by the first layer that differs", "[onnx]") {
  const TempFolder folder;
  const auto refusal = [&](const fs::path& path) {
    const auto error = error_of([&] { state_dict_of(open_face_network(path, "", 1)); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kData);
    return std::string(error->what());
  };
  CHECK_THAT(refusal(small_recogniser().write(folder)), contains_text("is no convolution there"));
  // A block more than r18 has.
  const auto network = random_network(kNetworks[0]);
  NetworkGraph graph = network_graph(*network);
  graph.tensors["layer1.0.conv1.weight"] = at::zeros({8, 8, 5, 5});
  for (Op& op : graph.ops) {
    if (op.name == "layer1.0.conv1") op.kernel = 5, op.padding = 2;
  }
  CHECK_THAT(refusal(write(folder, graph)), contains_text("'layer1.0.conv1' of"));
  CHECK_THAT(refusal(write(folder, graph)), contains_text("has weights of 8x8x5x5, expected 8x8x3x3"));
}

}  // namespace
}  // namespace uir
