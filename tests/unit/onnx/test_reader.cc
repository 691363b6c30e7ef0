// Reading ONNX files: what the writer wrote comes back; what lies, leaves its folder or runs code is refused.
#include "uir/onnx/reader.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/onnx_networks.h"
#include "uir/formats/protobuf_writer.h"
#include "uir/onnx/tensor.h"

using namespace uir;

namespace {

// A file with this graph.
fs::path file_with(const TempFolder& folder, const ProtobufWriter& graph) {
  ProtobufWriter model;
  model.integer(1, 8).text(2, "tester").message(8, ProtobufWriter().integer(2, 17)).message(7, graph);
  write_file_atomically(folder / "net.onnx", model.bytes());
  return folder / "net.onnx";
}

ProtobufWriter tensor_of(int64_t type, std::initializer_list<int64_t> shape) {
  ProtobufWriter tensor;
  for (const int64_t size : shape) tensor.integer(1, size);
  tensor.integer(2, type).text(8, "t");
  return tensor;
}

OnnxTensor read_tensor(const TempFolder& folder, const ProtobufWriter& tensor) {
  static OnnxFile file;  // keeps the numbers
  file = read_onnx(file_with(folder, ProtobufWriter().message(5, tensor)));
  return file.model.tensors.at(0);
}

ProtobufWriter external(const std::string& location, const std::string& offset, const std::string& length) {
  ProtobufWriter tensor = tensor_of(1, {2});
  for (const auto& [key, value] :
       {std::pair<std::string, std::string>("location", location), {"offset", offset}, {"length", length}})
    tensor.message(13, ProtobufWriter().text(1, key).text(2, value));
  return tensor.integer(14, 1);
}

}  // namespace

TEST_CASE("what is written is read", "[onnx]") {
  const TempFolder folder;
  OnnxBuilder builder = small_recogniser(127.5F, 1 / 128.0F);
  builder.model().metadata["color_order"] = "RGB";
  const OnnxFile file = read_onnx(builder.write(folder));
  const OnnxModel &read = file.model, &written = builder.model();
  CHECK(file.producer == "uir");
  CHECK(read.opset == 17);
  CHECK(read.metadata == written.metadata);
  REQUIRE(read.nodes.size() == written.nodes.size());
  for (size_t i = 0; i < read.nodes.size(); ++i) {
    CHECK(read.nodes[i].type == written.nodes[i].type);
    CHECK(read.nodes[i].inputs == written.nodes[i].inputs);
    CHECK(read.nodes[i].outputs == written.nodes[i].outputs);
    REQUIRE(read.nodes[i].attributes.size() == written.nodes[i].attributes.size());
  }
  CHECK(std::get<std::vector<int64_t>>(read.nodes[2].attributes[0].second) == std::vector<int64_t>{16, 16});
  CHECK(std::get<int64_t>(read.nodes[4].attributes[0].second) == 1);
  REQUIRE(read.tensors.size() == 3);
  CHECK(read.tensors[2].shape == std::vector<int64_t>{4, 147});
  CHECK(numbers_of(read.tensors[2]) == numbers_of(written.tensors[2]));
  CHECK(read.inputs.at(0).shape == std::vector<int64_t>{kFreeSize, 3, 112, 112});
  CHECK(read.outputs.at(0).name == "embedding");
  CHECK(file.checksum.size() == 16);
}

TEST_CASE("numbers of every type, raw or spelled out", "[onnx]") {
  const TempFolder folder;
  const auto numbers = [&](const ProtobufWriter& tensor) { return numbers_of(read_tensor(folder, tensor)); };
  using Numbers = std::vector<double>;
  CHECK(numbers(tensor_of(1, {2}).text(9, std::string("\0\0\x80\x3f\0\0\0\xc0", 8))) == Numbers{1, -2});
  CHECK(numbers(tensor_of(1, {2}).text(4, std::string("\0\0\x80\x3f\0\0\0\xc0", 8))) == Numbers{1, -2});
  CHECK(numbers(tensor_of(1, {1}).float32(4, 1.5F)) == Numbers{1.5});
  CHECK(numbers(tensor_of(7, {2}).integer(7, -3).integer(7, 4)) == Numbers{-3, 4});
  CHECK(numbers(tensor_of(6, {1}).integer(5, -3)) == Numbers{-3});
  CHECK(numbers(tensor_of(3, {1}).integer(5, -3)) == Numbers{-3});
  CHECK(numbers(tensor_of(9, {2}).integer(5, 1).integer(5, 0)) == Numbers{1, 0});
  CHECK(numbers(tensor_of(11, {1}).float64(10, 0.1)) == Numbers{0.1});
  CHECK(numbers(tensor_of(10, {3}).integer(5, 0x3c00).integer(5, 0xc000).integer(5, 1)) ==
        Numbers{1, -2, std::ldexp(1, -24)});
  CHECK(numbers(tensor_of(16, {1}).integer(5, 0x3fc0)) == Numbers{1.5});
  CHECK(numbers(tensor_of(1, {}).float32(4, 7)) == Numbers{7});
}

TEST_CASE("constants that lie about their size are refused", "[onnx]") {
  const TempFolder folder;
  const auto refused = [&](const ProtobufWriter& tensor) {
    return fails_with(ErrorKind::kData, [&] { read_tensor(folder, tensor); });
  };
  CHECK(refused(tensor_of(1, {3}).text(9, std::string(8, '\0'))));
  CHECK(refused(tensor_of(1, {2}).text(9, std::string(7, '\0'))));
  CHECK(refused(tensor_of(1, {-1}).text(9, std::string(4, '\0'))));
  CHECK(refused(tensor_of(1, {int64_t{1} << 40, int64_t{1} << 40}).text(9, std::string(4, '\0'))));
  CHECK(refused(tensor_of(8, {1}).text(6, "word")));
}

TEST_CASE("weights in a file beside the network", "[onnx]") {
  const TempFolder folder;
  write_file_atomically(folder / "w.bin", std::string("....\0\0\x80\x3f\0\0\0\xc0", 12));
  CHECK(numbers_of(read_tensor(folder, external("w.bin", "4", "8"))) == std::vector<double>{1, -2});
  const auto error = [&](const ProtobufWriter& tensor) {
    return error_of([&] { read_tensor(folder, tensor); });
  };
  CHECK(error(external("gone.bin", "0", "8"))->kind() == ErrorKind::kMissingInput);
  for (const char* outside : {"../w.bin", "/etc/hostname", "a/../../w.bin", ""}) {
    INFO(outside);
    CHECK(error(external(outside, "0", "8"))->kind() == ErrorKind::kData);
  }
  CHECK(error(external("w.bin", "8", "8"))->kind() == ErrorKind::kData);
  CHECK(error(external("w.bin", "x", "8"))->kind() == ErrorKind::kData);
  fs::create_symlink("/etc/hostname", folder / "link.bin");
  CHECK(error(external("link.bin", "0", "8"))->kind() == ErrorKind::kData);
}

TEST_CASE("what is no plain network is refused by name", "[onnx]") {
  const TempFolder folder;
  const auto refusal = [&](const ProtobufWriter& graph) {
    const auto error = error_of([&] { read_onnx(file_with(folder, graph)); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kData);
    return std::string(error->what());
  };
  const auto node = [](const ProtobufWriter& rest) {
    return ProtobufWriter().message(1, ProtobufWriter().text(3, "one").text(4, "If").message(5, rest));
  };
  CHECK_THAT(
      refusal(node(ProtobufWriter().text(1, "then_branch").message(6, ProtobufWriter()).integer(20, 5))),
      contains_text("control flow"));
  CHECK_THAT(refusal(ProtobufWriter().message(1, ProtobufWriter().text(4, "Magic").text(7, "com.vendor"))),
             contains_text("com.vendor"));
  CHECK_THAT(refusal(ProtobufWriter().message(15, ProtobufWriter())), contains_text("sparse"));

  const std::string whole = read_bytes(small_recogniser().write(folder, "whole.onnx"));
  for (const size_t size : {size_t{0}, size_t{3}, size_t{20}, whole.size() / 2, whole.size() - 1}) {
    write_file_atomically(folder / "cut.onnx", whole.substr(0, size));
    INFO(size);
    CHECK(fails_with(ErrorKind::kData, [&] { read_onnx(folder / "cut.onnx"); }));
  }
  CHECK(fails_with(ErrorKind::kMissingInput, [&] { read_onnx(folder / "none.onnx"); }));
}
