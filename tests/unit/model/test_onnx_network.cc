// LibTorch's operators and the interpreter, two computations of the same words, node by node and joined.
#include "uir/model/onnx_network.h"

#include <ATen/ops/rand.h>

#include <ATen/ops/randn.h>

#include <limits>

#include "support/onnx_networks.h"
#include "uir/onnx/interpreter.h"
//
#include "support/catch.h"
#include "support/errors.h"

using namespace uir;

namespace {

using Attributes = std::vector<std::pair<std::string, OnnxAttribute>>;
using Integers = std::vector<int64_t>;

std::vector<float> numbers(int64_t count, float low = -1, float high = 1) {
  const at::Tensor values = at::rand({count}, at::kFloat) * (high - low) + low;
  return {values.data_ptr<float>(), values.data_ptr<float>() + count};
}

Array array_of(const at::Tensor& x) {
  const at::Tensor d = x.to(at::kDouble).contiguous();
  return {d.sizes().vec(), {d.data_ptr<double>(), d.data_ptr<double>() + d.numel()}};
}

// Of one node on x, whose further inputs are constants of the builder.
double difference(OnnxBuilder& b, const std::string& type, const at::Tensor& x, std::vector<std::string> more,
                  const Attributes& attributes) {
  std::vector<std::string> inputs{"x"};
  inputs.insert(inputs.end(), more.begin(), more.end());
  b.input("x", {}).node(type, inputs, "y", attributes);
  const OnnxInterpreter interpreter(b.model(), 2);
  const Array expected = interpreter.run({{"x", array_of(x)}}, {"y"}).at(0);
  std::vector<OnnxTorchValue> values(inputs.size());
  std::vector<const OnnxTorchValue*> pointers;
  std::vector<const Array*> arrays;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (i == 0) values[0].tensor = x;
    if (i > 0 && !inputs[i].empty()) values[i].array = interpreter.constant(inputs[i]);
    pointers.push_back(inputs[i].empty() ? nullptr : &values[i]);
    arrays.push_back(values[i].array ? &*values[i].array : nullptr);
  }
  const OnnxCall call(b.model().nodes.back(), b.model().opset, arrays, 2);
  const OnnxTorchValue y = compute_on_torch(call, pointers);
  const Array found = y.array ? *y.array : array_of(y.tensor);
  REQUIRE(found.shape == expected.shape);
  double largest = 0;
  for (size_t i = 0; i < found.values.size(); ++i)
    largest = std::max(largest,
                       std::abs(found.values[i] - expected.values[i]) / (1 + std::abs(expected.values[i])));
  return largest;
}

struct Case {
  std::string type;
  Attributes attributes{};
  Integers constants{};  // sizes of further inputs: vectors of random numbers
};

}  // namespace

TEST_CASE("LibTorch computes the operators of numbers as the interpreter does", "[onnx]") {
  at::manual_seed(1);
  const at::Tensor x = at::randn({2, 3, 5, 4});
  for (const char* type : {"Relu",
                           "Sigmoid",
                           "Tanh",
                           "Erf",
                           "Exp",
                           "Neg",
                           "Abs",
                           "Reciprocal",
                           "Softplus",
                           "HardSwish",
                           "HardSigmoid",
                           "LeakyRelu",
                           "Elu",
                           "Gelu",
                           "Identity",
                           "Dropout",
                           "Shape",
                           "GlobalAveragePool",
                           "GlobalMaxPool",
                           "Flatten",
                           "Transpose",
                           "ReduceMean",
                           "ReduceMax",
                           "ReduceMin",
                           "ReduceL1",
                           "ReduceL2",
                           "ReduceSumSquare",
                           "Softmax",
                           "LpNormalization"}) {
    INFO(type);
    OnnxBuilder b;
    CHECK(difference(b, type, x, {}, {}) < 1e-5);
  }
  for (const char* type : {"Log", "Sqrt"}) {
    OnnxBuilder b;
    CHECK(difference(b, type, x.abs() + 0.1, {}, {}) < 1e-5);
  }
  for (const char* type : {"Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "PRelu"}) {
    for (const Integers& shape :
         {Integers{1}, Integers{3, 1, 1}, Integers{1, 3, 1, 1}, Integers{2, 3, 5, 4}}) {
      INFO(type);
      OnnxBuilder b;
      int64_t count = 1;
      for (const int64_t size : shape) count *= size;
      b.constant("c", shape, numbers(count, 0.5, 2));
      CHECK(difference(b, type, x, {"c"}, {}) < 1e-5);
    }
  }
  OnnxBuilder slope, power;
  slope.constant("c", {3}, numbers(3));
  CHECK(difference(slope, "PRelu", x, {"c"}, {}) < 1e-5);
  power.constant("c", {1}, {2});
  CHECK(difference(power, "Pow", x, {"c"}, {}) < 1e-5);
}

TEST_CASE("LibTorch computes layers as the interpreter does", "[onnx]") {
  at::manual_seed(2);
  const at::Tensor x = at::randn({2, 4, 9, 8});
  const auto check = [&](const std::string& type, OnnxBuilder b, std::vector<std::string> more,
                         const Attributes& attributes) {
    INFO(type);
    CHECK(difference(b, type, x, std::move(more), attributes) < 1e-5);
  };
  for (const Attributes& attributes :
       {Attributes{}, Attributes{{"strides", Integers{2, 1}}, {"pads", Integers{1, 1, 1, 1}}},
        Attributes{{"pads", Integers{0, 1, 2, 3}}},
        Attributes{{"dilations", Integers{2, 2}}, {"pads", Integers{2, 2, 2, 2}}},
        Attributes{{"auto_pad", std::string("SAME_UPPER")}, {"strides", Integers{2, 2}}},
        Attributes{{"auto_pad", std::string("SAME_LOWER")}, {"strides", Integers{2, 2}}},
        Attributes{{"auto_pad", std::string("VALID")}}}) {
    check("Conv", OnnxBuilder().constant("w", {6, 4, 3, 3}, numbers(216)).constant("b", {6}, numbers(6)),
          {"w", "b"}, attributes);
  }
  check("Conv", OnnxBuilder().constant("w", {4, 1, 3, 3}, numbers(36)), {"w"}, {{"group", int64_t{4}}});
  check("Conv", OnnxBuilder().constant("w", {8, 2, 1, 1}, numbers(16)), {"w"}, {{"group", int64_t{2}}});
  const Attributes window{{"kernel_shape", Integers{3, 2}}, {"strides", Integers{2, 2}}};
  for (const char* type : {"MaxPool", "AveragePool"}) {
    check(type, OnnxBuilder(), {}, window);
    Attributes padded = window;
    padded.emplace_back("pads", Integers{1, 1, 1, 1});
    check(type, OnnxBuilder(), {}, padded);
    padded.emplace_back("ceil_mode", int64_t{1});
    check(type, OnnxBuilder(), {}, padded);
    padded.emplace_back("count_include_pad", int64_t{1});
    check(type, OnnxBuilder(), {}, padded);
  }
  OnnxBuilder norm;
  for (const char* name : {"s", "b", "m"}) norm.constant(name, {4}, numbers(4));
  norm.constant("v", {4}, numbers(4, 0.5, 2));
  check("BatchNormalization", norm, {"s", "b", "m", "v"}, {{"epsilon", 1e-3F}});
  check("LayerNormalization",
        OnnxBuilder().constant("s", {9, 8}, numbers(72)).constant("b", {9, 8}, numbers(72)), {"s", "b"},
        {{"axis", int64_t{2}}});
  check("MatMul", OnnxBuilder().constant("w", {8, 5}, numbers(40)), {"w"}, {});
}

TEST_CASE("LibTorch moves numbers as the interpreter does", "[onnx]") {
  at::manual_seed(3);
  const at::Tensor x = at::randn({2, 4, 6, 5});
  const auto check = [&](const std::string& type, OnnxBuilder b, std::vector<std::string> more,
                         const Attributes& attributes) {
    INFO(type);
    CHECK(difference(b, type, x, std::move(more), attributes) == 0);
  };
  check("Reshape", OnnxBuilder().integers("s", {0, -1}), {"s"}, {});
  check("Reshape", OnnxBuilder().integers("s", {2, 8, 15}), {"s"}, {});
  check("Flatten", OnnxBuilder(), {}, {{"axis", int64_t{2}}});
  check("Flatten", OnnxBuilder(), {}, {{"axis", int64_t{-1}}});
  check("Transpose", OnnxBuilder(), {}, {{"perm", Integers{0, 2, 3, 1}}});
  check("Unsqueeze", OnnxBuilder().integers("a", {-1, 0}), {"a"}, {});
  check("Slice",
        OnnxBuilder()
            .integers("b", {1, -3})
            .integers("e", {4, std::numeric_limits<int64_t>::max()})
            .integers("a", {1, 3})
            .integers("s", {2, 1}),
        {"b", "e", "a", "s"}, {});
  check("Concat", OnnxBuilder().constant("c", {2, 4, 1, 5}, numbers(40)), {"c"}, {{"axis", int64_t{2}}});
  check("Pad", OnnxBuilder().integers("p", {0, 0, 1, 2, 0, 0, 3, 0}).constant("v", {}, {7}), {"p", "v"}, {});
  check("Clip", OnnxBuilder().constant("l", {}, {-0.5}).constant("h", {}, {0.25}), {"l", "h"}, {});
  check("Clip", OnnxBuilder(6), {}, {{"min", -0.5F}, {"max", 0.25F}});
}

TEST_CASE("products of matrices with factor, offset and turned operands", "[onnx]") {
  at::manual_seed(4);
  const at::Tensor x = at::randn({3, 5});
  OnnxBuilder plain, turned;
  plain.constant("w", {5, 4}, numbers(20)).constant("c", {4}, numbers(4));
  CHECK(difference(plain, "Gemm", x, {"w", "c"}, {{"alpha", 0.5F}, {"beta", 2.0F}}) < 1e-5);
  turned.constant("w", {4, 3}, numbers(12)).constant("c", {5, 1}, numbers(5));
  CHECK(difference(turned, "Gemm", x, {"w", "c"}, {{"transA", int64_t{1}}, {"transB", int64_t{1}}}) < 1e-5);
}

namespace {

// conv → norm → PRelu, conv → norm, their sum → norm → flat → product: all that is joined, and a branch that
// is not, since its value is read twice.
OnnxBuilder residual_network() {
  OnnxBuilder b;
  b.input("data", {kFreeSize, 3, 112, 112}).output("embedding", {kFreeSize, 4});
  const auto conv = [&](const std::string& name, const std::string& x, int64_t in, int64_t out,
                        int64_t stride) {
    b.constant(name + ".w", {out, in, 3, 3}, numbers(out * in * 9, -0.3F, 0.3F));
    b.node("Conv", {x, name + ".w"}, name,
           {{"strides", Integers{stride, stride}}, {"pads", Integers{1, 1, 1, 1}}});
    return name;
  };
  const auto norm = [&](const std::string& name, const std::string& x, int64_t channels) {
    for (const char* part : {".s", ".b", ".m"}) b.constant(name + part, {channels}, numbers(channels));
    b.constant(name + ".v", {channels}, numbers(channels, 0.5F, 2));
    b.node("BatchNormalization", {x, name + ".s", name + ".b", name + ".m", name + ".v"}, name,
           {{"epsilon", 1e-3F}});
    return name;
  };
  const auto prelu = [&](const std::string& name, const std::string& x, int64_t channels) {
    b.constant(name + ".a", {channels, 1, 1}, numbers(channels));
    b.node("PRelu", {x, name + ".a"}, name);
    return name;
  };
  const std::string first = prelu("p1", norm("n1", conv("c1", "data", 3, 8, 4), 8), 8);
  b.constant("pairs.w", {8, 2, 3, 3}, numbers(144, -0.3F, 0.3F)).constant("pairs.b", {8}, numbers(8));
  b.node("Conv", {first, "pairs.w", "pairs.b"}, "pairs",
         {{"group", int64_t{4}}, {"pads", Integers{1, 1, 1, 1}}});
  b.node("GlobalAveragePool", {"pairs"}, "squeezed").node("Add", {"pairs", "squeezed"}, "repeated");
  const std::string stem = prelu("p0", "repeated", 8);
  const std::string left =
      norm("n3", conv("c3", prelu("p2", norm("n2", conv("c2", stem, 8, 8, 1), 8), 8), 8, 8, 2), 8);
  const std::string right = norm("n4", conv("c4", stem, 8, 8, 2), 8);
  b.node("Add", {left, right}, "sum");
  b.node("GlobalAveragePool", {norm("n5", "sum", 8)}, "pooled").node("Flatten", {"pooled"}, "flat");
  b.constant("fc.w", {8, 4}, numbers(32)).node("Gemm", {"flat", "fc.w"}, "embedding");
  return b;
}

}  // namespace

TEST_CASE("a network with joined layers computes what its file says", "[onnx]") {
  at::manual_seed(5);
  const TempFolder folder;
  const FaceNetwork network = open_face_network(residual_network().write(folder), "", 2);
  const at::Tensor pixels = at::randn({3, 3, 112, 112});
  const OnnxInterpreter interpreter(network.file.model, 2);
  const Array expected = interpreter.run({{"data", array_of(pixels)}}, {"embedding"}).at(0);
  const auto largest = [&](at::ScalarType type) {
    const at::Tensor found = OnnxNetwork(network, type, at::kCPU, 2).forward(pixels).to(at::kDouble);
    REQUIRE(found.sizes() == at::IntArrayRef({3, 4}));
    double difference = 0, norm = 0;
    for (size_t i = 0; i < expected.values.size(); ++i) {
      difference = std::max(difference, std::abs(found.data_ptr<double>()[i] - expected.values[i]));
      norm = std::max(norm, std::abs(expected.values[i]));
    }
    return difference / norm;
  };
  CHECK(largest(at::kFloat) < 1e-5);
  const double bf16 = largest(at::kBFloat16);
  CHECK(bf16 < 0.05);
  CHECK(bf16 > 1e-6);  // it was bf16
}

TEST_CASE("a shape that the network computes from its batch", "[onnx]") {
  OnnxBuilder b = small_recogniser();
  auto& nodes = b.model().nodes;
  nodes[1] = {"Reshape", "r", {"tiles", "shape"}, {"flat"}, {}};
  b.integers("zero", {0}).integers("rest", {-1});
  nodes.insert(nodes.begin() + 1, {{"Shape", "a", {"tiles"}, {"sizes"}, {}},
                                   {"Gather", "g", {"sizes", "zero"}, {"first"}, {{"axis", int64_t{0}}}},
                                   {"Concat", "c", {"first", "rest"}, {"shape"}, {{"axis", int64_t{0}}}}});
  const TempFolder folder;
  const FaceNetwork network = open_face_network(b.write(folder), "", 1);
  const at::Tensor pixels = at::randn({5, 3, 112, 112});
  const OnnxNetwork torch(network, at::kFloat, at::kCPU, 1);
  const at::Tensor all = torch.forward(pixels);
  CHECK(all.sizes() == at::IntArrayRef({5, 4}));
  CHECK(all[3].allclose(torch.forward(pixels.slice(0, 3, 4))[0], 1e-5, 1e-6));
}
