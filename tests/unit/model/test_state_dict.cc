#include <ATen/ops/zeros.h>

#include "uir/model/state_dict.h"
//
#include "support/catch.h"
#include "support/errors.h"

using namespace uir;

namespace {

std::shared_ptr<Backbone> small_network(uint64_t seed) {
  MobileFaceNetConfig config;
  config.width = 0.0625;
  config.embedding_size = 8;
  return make_backbone({config}, seed);
}

}  // namespace

TEST_CASE("weights move between networks by name, prefixes stripped") {
  const auto from = small_network(1), to = small_network(2);
  std::map<std::string, at::Tensor> prefixed;
  for (const auto& [name, tensor] : state_dict(*from)) prefixed["module.backbone." + name] = tensor;
  CHECK_FALSE(
      state_dict(*from).at("features.layers.2.weight").equal(state_dict(*to).at("features.layers.2.weight")));
  const LoadedTensors result = load_state_dict(*to, prefixed);
  CHECK(result.loaded == result.of);
  CHECK(result.of == static_cast<int64_t>(prefixed.size()));
  CHECK(result.without_counter == 0);
  for (const auto& [name, tensor] : state_dict(*from)) CHECK(tensor.equal(state_dict(*to).at(name)));
}

TEST_CASE("weights that do not fit are refused with the difference of names") {
  const auto network = small_network(1);
  auto tensors = state_dict(*network);
  tensors.erase("conv_sep.layers.0.weight");
  tensors["extra.weight"] = at::zeros({1});
  tensors["features.layers.2.weight"] = at::zeros({1});
  const auto error = error_of([&] { load_state_dict(*network, tensors); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  const std::string message = error->what();
  CHECK(message.find("missing 1 (conv_sep.layers.0.weight)") != std::string::npos);
  CHECK(message.find("another shape 1 (features.layers.2.weight)") != std::string::npos);
  CHECK(message.find("unknown 1 (extra.weight)") != std::string::npos);
}

TEST_CASE("weights of old PyTorch versions have no counters; names that become one are refused") {
  const auto from = small_network(1), to = small_network(2);
  auto tensors = state_dict(*from);
  const auto all = static_cast<int64_t>(tensors.size());
  std::erase_if(tensors, [](const auto& entry) { return entry.first.ends_with("num_batches_tracked"); });
  const LoadedTensors result = load_state_dict(*to, tensors);
  CHECK(result.without_counter > 0);
  CHECK(result.loaded + result.without_counter == all);
  CHECK(result.of == all);
  tensors["module.features.layers.2.weight"] = tensors.at("features.layers.2.weight");
  CHECK(fails_with(ErrorKind::kData, [&] { load_state_dict(*to, tensors); }));
}
