// Exported files against the network that they come from: run by OpenCV and by TorchScript, read back by
// name.
#include <ATen/ATen.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include "support/random_network.h"
#include "uir/export/check.h"
//
#include <algorithm>
#include <array>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "uir/export/network_graph.h"
#include "uir/export/onnx_network.h"
#include "uir/export/torch_files.h"
#include "uir/onnx/writer.h"

namespace uir {
namespace {

const ModelConfig kResidual{IResNetConfig{.depth = 18, .width = 0.125, .embedding_size = 24}};
const ModelConfig kMobile{MobileFaceNetConfig{.width = 0.125, .embedding_size = 20}};
const ModelConfig kLarge{MobileFaceNetConfig{.large = true, .width = 0.0625, .embedding_size = 16}};

at::Tensor random_faces(int64_t count) {
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(5);
  return at::randint(0, 256, {count, 112, 112, 3}, generator, at::TensorOptions(at::kByte));
}

struct Form {
  bool folded, normalized;
};
constexpr std::array<Form, 3> kForms{{{false, false}, {true, false}, {true, true}}};

NetworkGraph graph_of(const Backbone& network, Form form) {
  NetworkGraph graph = network_graph(network);
  if (form.folded) graph = with_folded_batch_norms(std::move(graph));
  return form.normalized ? with_normalization(std::move(graph)) : graph;
}

fs::path write_onnx_file(const TempFolder& folder, const NetworkGraph& graph, int64_t opset = kOldestOpset) {
  OutputFile out(folder / "network.onnx");
  write_onnx_network(graph, opset, {{"color_order", "RGB"}}, out);
  out.close();
  return out.path();
}

fs::path write_script_file(const TempFolder& folder, const NetworkGraph& graph) {
  OutputFile out(folder / "network.pt");
  write_torch_script(graph, {{"color_order", "RGB"}}, out);
  out.close();
  return out.path();
}

void check_agreement(const CheckEngine& engine, Backbone& network, Form form) {
  INFO(engine.name << ", folded: " << form.folded << ", normalized: " << form.normalized
                   << ", parameters: " << num_parameters(network));
  const Agreement agreement = compare_with_network(engine, network, random_faces(9), form.normalized);
  CHECK(agreement.batches == std::vector<int64_t>{1, 3, 1, 4});
  CHECK(agreement.largest_difference < 1e-5);
  CHECK(agreement.smallest_cosine > 1 - 1e-9);
}

TEST_CASE("OpenCV computes an exported network's embeddings, in every form and batch size", "[export]") {
  const TempFolder folder;
  for (const ModelConfig& config : {kResidual, kMobile, kLarge}) {
    const auto network = random_network(config);
    for (const Form form : kForms) {
      const fs::path file = write_onnx_file(folder, graph_of(*network, form));
      for (const bool plain : {false, true})
        check_agreement(opencv_check_engine(file, plain), *network, form);
    }
  }
}

TEST_CASE("TorchScript computes an exported network's embeddings, in every form and batch size", "[export]") {
  const TempFolder folder;
  for (const ModelConfig& config : {kResidual, kMobile, kLarge}) {
    const auto network = random_network(config);
    for (const Form form : kForms) {
      const fs::path file = write_script_file(folder, graph_of(*network, form));
      check_agreement(torch_script_engine(file), *network, form);
    }
  }
}

TEST_CASE("the check sees one wrong number, a missing shift and an engine that computes nothing",
          "[export]") {
  const TempFolder folder;
  const auto network = random_network(kMobile);
  NetworkGraph graph = network_graph(*network);
  at::Tensor& weight = graph.tensors.at("layers.3.layers.1.layers.0.layers.0.weight");
  weight = weight.clone();
  weight.view({-1})[3] += 5;
  const auto difference = [&](const CheckEngine& engine, bool normalized) {
    return compare_with_network(engine, *network, random_faces(2), normalized).largest_difference;
  };
  CHECK(difference(opencv_check_engine(write_onnx_file(folder, graph), true), false) > 1e-4);
  graph = network_graph(*network);
  CHECK(difference(opencv_check_engine(write_onnx_file(folder, graph), true), true) > 1e-2);
  const CheckEngine broken{"broken", [](const at::Tensor& x) { return at::full({x.size(0), 20}, NAN); }};
  CHECK(difference(broken, false) == INFINITY);
  const CheckEngine other{"other", [](const at::Tensor& x) { return at::zeros({x.size(0), 21}); }};
  CHECK(fails_with(ErrorKind::kInternal, [&] { difference(other, false); }));
}

TEST_CASE("weights that give no embedding are refused", "[export]") {
  const auto network = random_network(kMobile);
  const CheckEngine engine{"any", [](const at::Tensor& x) { return at::zeros({x.size(0), 20}); }};
  const at::NoGradGuard no_grad;
  for (const auto& [key, tensor] : named_state(*network)) {
    if (key == "features.layers.3.bias") tensor.fill_(NAN);
  }
  CHECK(
      fails_with(ErrorKind::kData, [&] { compare_with_network(engine, *network, random_faces(2), false); }));
}

int64_t count(const NetworkGraph& graph, OpKind kind) {
  return std::count_if(graph.ops.begin(), graph.ops.end(), [&](const Op& op) { return op.kind == kind; });
}

TEST_CASE("folding leaves only batch norms in front of convolutions that pad", "[export]") {
  const auto residual = random_network(kResidual), mobile = random_network(kMobile);
  const NetworkGraph plain = network_graph(*residual);
  CHECK(plain.tensors.size() == 187);
  CHECK(count(plain, OpKind::kBatchNorm) == 1 + 8 * 3 + 4 + 2);
  const NetworkGraph folded = with_folded_batch_norms(plain);
  CHECK(count(folded, OpKind::kBatchNorm) == 8);
  for (const Op& op : folded.ops) {
    if (op.kind == OpKind::kBatchNorm) CHECK(op.name.ends_with("bn1"));
    if (op.kind == OpKind::kConv) CHECK(op.bias);  // each has a batch norm behind it
  }
  CHECK_FALSE(folded.tensors.contains("bn2.running_mean"));
  CHECK_FALSE(folded.tensors.contains("features.weight"));
  CHECK(count(with_folded_batch_norms(network_graph(*mobile)), OpKind::kBatchNorm) == 0);
  // The network's own weights are untouched.
  CHECK(plain.tensors.at("fc.weight").is_alias_of(residual->named_parameters()["fc.weight"]));
  CHECK_FALSE(folded.tensors.at("fc.weight").is_alias_of(residual->named_parameters()["fc.weight"]));
}

std::map<std::string, at::Tensor> read_torch_script_state(const fs::path& file) {
  const torch::jit::Module module = torch::jit::load(file.string());
  std::map<std::string, at::Tensor> state;
  for (const auto& parameter : module.named_parameters()) state[parameter.name] = parameter.value;
  for (const auto& buffer : module.named_buffers()) state[buffer.name] = buffer.value;
  return state;
}

TEST_CASE("a TorchScript file's state dict has the network's names and values", "[export]") {
  const TempFolder folder;
  for (const ModelConfig& config : {kResidual, kLarge}) {
    const auto network = random_network(config);
    const fs::path file = write_script_file(folder, network_graph(*network));
    const auto found = read_torch_script_state(file);
    const auto expected = named_state(*network);
    CHECK(found.size() == expected.size());
    for (const auto& [name, tensor] : expected) {
      INFO(name);
      REQUIRE(found.contains(name));
      CHECK(found.at(name).equal(tensor));
      CHECK(found.at(name).scalar_type() == tensor.scalar_type());
    }
  }
}

TEST_CASE("a state dict's file is compared with what should be in it", "[export]") {
  const TempFolder folder;
  const auto network = random_network(kResidual);
  OutputFile out(folder / "network.pth");
  write_state_dict(named_state(*network), out);
  out.close();
  check_state_dict(named_state(*network), out.path());
  auto other = named_state(*network);
  other[40].second = other[40].second.detach().clone();
  other[40].second.view({-1})[0] += 1;
  CHECK(fails_with(ErrorKind::kData, [&] { check_state_dict(other, out.path()); }));
  fs::resize_file(out.path(), out.size() - 100);
  CHECK(fails_with(ErrorKind::kData, [&] { check_state_dict(named_state(*network), out.path()); }));
}

TEST_CASE("files do not depend on their names", "[export]") {
  const TempFolder folder;
  const auto network = random_network(kMobile);
  std::array<uint64_t, 2> sums{};
  for (size_t i = 0; i < 2; ++i) {
    OutputFile out(folder / ("file" + std::to_string(i)));
    write_torch_script(network_graph(*network), {}, out);
    write_state_dict(named_state(*network), out);
    out.close();
    sums[i] = out.checksum();
  }
  CHECK(sums[0] == sums[1]);
}

}  // namespace
}  // namespace uir
