// Which ONNX files embed faces, and what they tell of their pixels.
#include "uir/onnx/face_network.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/onnx_networks.h"

using namespace uir;

namespace {

FaceNetwork opened(OnnxBuilder builder, const std::string& output = "") {
  const TempFolder folder;
  return open_face_network(builder.write(folder), output, 1);
}
std::string refusal(OnnxBuilder builder, const std::string& output = "") {
  const auto error = error_of([&] { opened(std::move(builder), output); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  return error->what();
}

}  // namespace

TEST_CASE("a recogniser is described", "[onnx]") {
  const FaceNetwork network = opened(small_recogniser());
  CHECK(network.embedding_size == 4);
  CHECK(network.output == "embedding");
  CHECK_FALSE(network.fixed_batch);
  CHECK_FALSE(network.range);
  CHECK(network.parameters == 588);
  CHECK(description(network) ==
        "net.onnx: ONNX network of uir, opset 17: input 'data', any batch; output 'embedding', embeddings of "
        "4 numbers; "
        "588 parameters in 3 nodes");
}

TEST_CASE("sizes that a file does not tell are found", "[onnx]") {
  OnnxBuilder b = small_recogniser();
  b.model().outputs[0].shape.clear();
  b.model().inputs[0].shape = {2, 3, kFreeSize, kFreeSize};
  const FaceNetwork network = opened(b);
  CHECK(network.embedding_size == 4);
  CHECK(network.fixed_batch == 2);
}

TEST_CASE("an embedding beside its norm is chosen, of two the one that is named", "[onnx]") {
  OnnxBuilder b = small_recogniser();
  b.node("ReduceL2", {"embedding"}, "norm", {{"axes", std::vector<int64_t>{1}}})
      .output("norm", {kFreeSize, 1});
  CHECK(opened(b).output == "embedding");
  b.output("flat", {kFreeSize, 147});
  CHECK_THAT(refusal(b), contains_text("extract.onnx.output"));
  CHECK(opened(b, "flat").embedding_size == 147);
  CHECK_THAT(refusal(b, "other"), contains_text("other"));
}

TEST_CASE("what is no recogniser of our faces is refused", "[onnx]") {
  OnnxBuilder wide = small_recogniser();
  wide.model().inputs[0].shape = {kFreeSize, 3, 112, 96};
  CHECK_THAT(refusal(wide), contains_text("112 x 96"));
  OnnxBuilder last = small_recogniser();
  last.model().inputs[0].shape = {kFreeSize, 112, 112, 3};
  CHECK_THAT(refusal(last), contains_text("channels first"));
  OnnxBuilder two = small_recogniser();
  two.input("mask", {kFreeSize, 1});
  CHECK_THAT(refusal(two), contains_text("data, mask"));
  OnnxBuilder bytes = small_recogniser();
  bytes.model().inputs[0].type = 2;
  CHECK_THAT(refusal(bytes), contains_text("float32"));
  OnnxBuilder unknown = small_recogniser();
  unknown.node("Magic", {"embedding"}, "more");
  CHECK_THAT(refusal(unknown), contains_text("Magic"));
  OnnxBuilder detector = small_recogniser();
  detector.model().outputs = {{"tiles", {kFreeSize, 3, 7, 7}}};
  CHECK_THAT(refusal(detector), contains_text("detector"));
}

TEST_CASE("first nodes that normalise tell the range", "[onnx]") {
  CHECK(opened(small_recogniser(127.5F, 1 / 128.0F)).range == PixelRange::kBytes);
  CHECK(opened(small_recogniser(0.5F, 2)).range == PixelRange::kUnit);
  CHECK_FALSE(opened(small_recogniser(0, 30)).range);
  OnnxBuilder per_channel = small_recogniser();
  per_channel.model().nodes[0].inputs[0] = "normal";
  per_channel.constant("mean", {1, 3, 1, 1}, {123.7F, 116.3F, 103.5F})
      .constant("deviation", {3, 1, 1}, {58.4F, 57.1F, 57.4F});
  auto& nodes = per_channel.model().nodes;
  nodes.insert(nodes.begin(), {{"Sub", "s", {"data", "mean"}, {"less"}, {}},
                               {"Div", "d", {"less", "deviation"}, {"normal"}, {}}});
  CHECK(opened(per_channel).range == PixelRange::kBytes);
}

TEST_CASE("metadata of ours tell range and order", "[onnx]") {
  OnnxBuilder b = small_recogniser();
  b.model().metadata = {{"color_order", "RGB"}, {"normalization", "(x - 127.5) / 127.5"}};
  CHECK(opened(b).range == PixelRange::kSigned);
  CHECK(opened(b).order == ColorOrder::kRgb);
  b.model().metadata["normalization"] = "inside: the input is 0 to 255";
  CHECK(opened(b).range == PixelRange::kBytes);
}
