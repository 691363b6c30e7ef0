// What a blueprint promises to those who read it. tests/unit/pipeline holds it against the live networks.
#include "uir/network/blueprint.h"

#include <algorithm>

#include "support/catch.h"
#include "support/errors.h"
#include "uir/base/file.h"
#include "uir/network/blueprint_writer.h"

using namespace uir;

namespace {

ModelConfig iresnet(int64_t depth, double width = 1) {
  return {IResNetConfig{.depth = depth, .width = width, .embedding_size = 40, .dropout = 0.25}};
}
ModelConfig mobilefacenet(bool large, double width = 1) {
  return {MobileFaceNetConfig{.large = large, .width = width, .embedding_size = 40}};
}

const std::vector<ModelConfig>& all_networks() {
  static const std::vector<ModelConfig> networks{
      iresnet(18),     iresnet(34, 0.5),     iresnet(50, 0.1),    iresnet(100, 0.03),
      iresnet(200, 2), mobilefacenet(false), mobilefacenet(true), mobilefacenet(true, 0.3)};
  return networks;
}

Op op_of(OpKind kind, int64_t in_channels, int64_t out_channels) {
  Op op;
  op.kind = kind;
  op.in_channels = in_channels;
  op.out_channels = out_channels;
  return op;
}

bool joins_batch_norm(const Op& op) { return op.kind == OpKind::kPReLU || op.kind == OpKind::kAdd; }

std::vector<std::string> names(const std::vector<Op>& ops, const std::vector<int64_t>& order) {
  std::vector<std::string> names;
  for (const int64_t i : order) names.push_back(ops[i].name);
  return names;
}

// Whether the inputs of every operation come before it.
bool follows_inputs(const std::vector<Op>& ops, const std::vector<int64_t>& order) {
  std::vector<bool> done(ops.size());
  for (const int64_t i : order) {
    for (const int64_t input : ops[i].inputs) {
      if (input != kNetworkInput && !done[input]) return false;
    }
    done[i] = true;
  }
  return std::ranges::all_of(done, [](bool d) { return d; });
}

}  // namespace

TEST_CASE("an operation's shape is that of its inputs, and the last one's is the embedding") {
  for (const ModelConfig& config : all_networks()) {
    const Blueprint network = network_blueprint(config);
    CHECK(network.embedding_size == 40);
    CHECK(network.ops.back().out_elements() == 40);
    for (const Op& op : network.ops) {
      INFO(op.name);
      for (const int64_t input : op.inputs) {
        CHECK(op.in_channels == (input == kNetworkInput ? 3 : network.ops[input].out_channels));
        CHECK(op.in_size == (input == kNetworkInput ? 112 : network.ops[input].out_size));
      }
      CHECK(op.inputs.size() == (op.kind == OpKind::kAdd ? 2 : 1));
      CHECK(op.in_channels % op.groups == 0);
    }
  }
}

TEST_CASE("a PReLU or a sum reads a batch norm that nothing else reads") {
  for (const ModelConfig& config : all_networks()) {
    const std::vector<Op> ops = network_blueprint(config).ops;
    std::vector<int64_t> readers(ops.size());
    for (const Op& op : ops) {
      for (const int64_t input : op.inputs) {
        if (input != kNetworkInput) ++readers[input];
      }
    }
    for (const Op& op : ops) {
      INFO(op.name);
      if (!joins_batch_norm(op)) continue;
      CHECK(ops[op.inputs[0]].kind == OpKind::kBatchNorm);
      CHECK(readers[op.inputs[0]] == 1);
    }
    CHECK(readers.back() == 0);
    CHECK(std::count(readers.begin(), readers.end(), 0) == 1);
  }
}

TEST_CASE("what is always float32 stands at the end, in one piece") {
  for (const ModelConfig& config : all_networks()) {
    const std::vector<Op> ops = network_blueprint(config).ops;
    CHECK_FALSE(ops.front().always_float32);
    CHECK(std::ranges::is_sorted(ops, {}, &Op::always_float32));
    const auto first = std::ranges::find(ops, true, &Op::always_float32);
    CHECK(first->name ==
          (std::holds_alternative<IResNetConfig>(config.backbone) ? "flatten" : "conv_sep.layers.0"));
  }
}

TEST_CASE("a shortcut is listed behind its block and computed before it") {
  for (const ModelConfig& config : all_networks()) {
    const std::vector<Op> ops = network_blueprint(config).ops;
    std::vector<int64_t> listed(ops.size());
    for (size_t i = 0; i < ops.size(); ++i) listed[i] = static_cast<int64_t>(i);
    CHECK(follows_inputs(ops, listed));
    CHECK(follows_inputs(ops, evaluation_order(ops)));
    const bool has_shortcuts = std::holds_alternative<IResNetConfig>(config.backbone);
    CHECK((evaluation_order(ops) != listed) == has_shortcuts);
  }
  const std::vector<Op> ops = network_blueprint(iresnet(18)).ops;
  std::vector<std::string> order = names(ops, evaluation_order(ops));
  order.resize(14);
  CHECK(order == std::vector<std::string>{"conv1", "bn1", "prelu", "layer1.0.downsample.0",
                                          "layer1.0.downsample.1", "layer1.0.bn1", "layer1.0.conv1",
                                          "layer1.0.bn2", "layer1.0.prelu", "layer1.0.conv2", "layer1.0.bn3",
                                          "layer1.0.add", "layer1.1.bn1", "layer1.1.conv1"});
}

TEST_CASE("channels are scaled to the nearest multiple of 8, at least 8") {
  CHECK(scaled_channels(64, 1) == 64);
  CHECK(scaled_channels(64, 0.03) == 8);
  CHECK(scaled_channels(512, 0.03) == 16);
  CHECK(scaled_channels(128, 0.1) == 16);
  CHECK(scaled_channels(512, 0.1) == 48);
  CHECK(scaled_channels(512, 4) == 2048);
}

TEST_CASE("only IResNet's last batch norm has a fixed weight, and only IResNet drops out") {
  for (const ModelConfig& config : all_networks()) {
    const bool residual = std::holds_alternative<IResNetConfig>(config.backbone);
    const Blueprint network = network_blueprint(config);
    CHECK(network.dropout == (residual ? 0.25 : 0));
    CHECK(std::ranges::count(network.ops, false, &Op::trained) == (residual ? 1 : 0));
    CHECK(network.ops.back().trained == !residual);
  }
}

TEST_CASE("parameters and multiply-adds of an operation, by hand") {
  Op conv = op_of(OpKind::kConv, 8, 6);
  conv.in_size = 9, conv.out_size = 5, conv.kernel = 3, conv.groups = 2;
  CHECK(conv.parameters() == 6 * 4 * 9);
  CHECK(conv.multiply_adds() == 6 * 25 * 4 * 9);
  Op linear = op_of(OpKind::kLinear, 7, 5);
  CHECK(linear.parameters() == 35);
  linear.bias = true;
  CHECK(linear.parameters() == 40);
  CHECK(linear.multiply_adds() == 35);
  for (const auto& [kind, parameters] :
       {std::pair{OpKind::kBatchNorm, 14}, {OpKind::kPReLU, 7}, {OpKind::kAdd, 0}, {OpKind::kFlatten, 0}}) {
    CHECK(op_of(kind, 7, 7).parameters() == parameters);
    CHECK(op_of(kind, 7, 7).multiply_adds() == 0);
  }
}

TEST_CASE("an unknown depth is a config error that lists the known ones") {
  const auto error = error_of([] { network_blueprint(iresnet(42)); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kConfig);
  CHECK_THAT(error->what(), contains_text("depth 42; choose 18, 34, 50, 100 or 200"));
}

// Names, kinds, inputs, geometry and precision of all operations, then the order of evaluation.
TEST_CASE("the published networks' operations, as they have always been", "[golden]") {
  const auto checksum = [](const ModelConfig& config) {
    const Blueprint network = network_blueprint(config);
    std::string text;
    for (const Op& op : network.ops) {
      text += concat(op.name, ' ', static_cast<int>(op.kind), " (");
      for (const int64_t input : op.inputs) text += concat(input, ' ');
      text += concat(") ", op.in_channels, '>', op.out_channels, ' ', op.in_size, '>', op.out_size, ' ',
                     op.kernel, ' ', op.stride, ' ', op.padding, ' ', op.groups, ' ', op.bias, op.trained,
                     op.always_float32, '\n');
    }
    for (const int64_t i : evaluation_order(network.ops)) text += concat(i, ' ');
    return checksum_hex(as_bytes(text));
  };
  CHECK(checksum({IResNetConfig{.depth = 18}}) == "3b8b8d58776a0522");
  CHECK(checksum({IResNetConfig{.depth = 34}}) == "deff327163642a83");
  CHECK(checksum({IResNetConfig{.depth = 50}}) == "e8a33f9a54d837d8");
  CHECK(checksum({IResNetConfig{.depth = 100}}) == "b06015b1efa2cf9f");
  CHECK(checksum({IResNetConfig{.depth = 200}}) == "58f65dd58a4d12f1");
  CHECK(checksum({MobileFaceNetConfig{}}) == "21657021bbb7b079");
  CHECK(checksum({MobileFaceNetConfig{.large = true}}) == "0ec36943334de7ef");
}
