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

std::map<std::string, at::Tensor> prefixed(const std::string& prefix,
                                           const std::map<std::string, at::Tensor>& tensors) {
  std::map<std::string, at::Tensor> result;
  for (const auto& [name, tensor] : tensors) result[prefix + name] = tensor;
  return result;
}

}  // namespace

TEST_CASE("weights move between networks by name, behind any prefix that all of them share") {
  const auto from = small_network(1), to = small_network(2);
  CHECK_FALSE(
      state_dict(*from).at("features.layers.2.weight").equal(state_dict(*to).at("features.layers.2.weight")));
  for (const std::string prefix :
       {"", "model.", "module.backbone.", "encoder.net.", "student._orig_mod.", "_fsdp_wrapped_module."}) {
    INFO(prefix);
    const auto target = small_network(3);
    const LoadedTensors result = load_state_dict(*target, prefixed(prefix, state_dict(*from)));
    CHECK(result.loaded == result.of);
    CHECK(result.of == static_cast<int64_t>(state_dict(*from).size()));
    CHECK(result.without_counter == 0);
    CHECK(result.left_out.empty());
    for (const auto& [name, tensor] : state_dict(*from)) CHECK(tensor.equal(state_dict(*target).at(name)));
  }
}

TEST_CASE("what stands beside the network is left out; more of its own modules is another network") {
  const auto from = small_network(1), to = small_network(2);
  auto tensors = prefixed("model.", state_dict(*from));
  tensors["head.kernel"] = at::zeros({3});
  tensors["head.t"] = at::zeros({1});
  LoadedTensors result = load_state_dict(*to, tensors);
  CHECK(result.prefix == "model.");
  CHECK(result.left_out == std::vector<std::string>{"head.kernel", "head.t"});
  CHECK_FALSE(result.beside);
  for (const auto& [name, tensor] : state_dict(*from)) CHECK(tensor.equal(state_dict(*to).at(name)));
  tensors["model.margin.weight"] = at::zeros({1});
  result = load_state_dict(*to, tensors);
  CHECK(result.beside);
  CHECK(result.left_out == std::vector<std::string>{"head.kernel", "head.t", "model.margin.weight"});

  // As a deeper network has all tensors of a shallower one.
  tensors["model.features.layers.9.weight"] = at::zeros({1});
  const auto error = error_of([&] { load_state_dict(*to, tensors); });
  REQUIRE(error);
  const std::string message = error->what();
  CHECK(message.find("(behind the prefix 'model.')") != std::string::npos);
  CHECK(message.find("unknown 2 (features.layers.9.weight, margin.weight)") != std::string::npos);
}

TEST_CASE("a network that lacks a tensor is refused by its name, heads or not") {
  const auto network = small_network(1);
  auto tensors = prefixed("module.model.", state_dict(*network));
  tensors.erase("module.model.conv_sep.layers.0.weight");
  tensors["head.kernel"] = at::zeros({3});
  const auto error = error_of([&] { load_state_dict(*network, tensors); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  const std::string message = error->what();
  CHECK(message.find("(behind the prefix 'module.model.')") != std::string::npos);
  CHECK(message.find("missing 1 (conv_sep.layers.0.weight)") != std::string::npos);
}

TEST_CASE("two networks behind two prefixes are refused by name, unless they are one") {
  const auto network = small_network(1), other = small_network(2);
  auto tensors = prefixed("model.", state_dict(*network));
  tensors.merge(prefixed("ema.", state_dict(*network)));
  CHECK(load_state_dict(*other, tensors).prefix == "ema.");
  tensors.at("ema.features.layers.2.weight") = tensors.at("ema.features.layers.2.weight") + 1;
  const auto error = error_of([&] { load_state_dict(*network, tensors); });
  REQUIRE(error);
  CHECK(std::string(error->what()).find("two networks, behind the prefixes 'ema.' and 'model.'") !=
        std::string::npos);
  // One that is not whole is no second one.
  tensors.erase("ema.features.layers.2.weight");
  CHECK(load_state_dict(*other, tensors).prefix == "model.");
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
  tensors["_orig_mod.features.layers.2.weight"] = tensors.at("features.layers.2.weight");
  CHECK(fails_with(ErrorKind::kData, [&] { load_state_dict(*to, tensors); }));
}
