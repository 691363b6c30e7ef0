// The messages of an ONNX file, decoded by the rules of the wire format alone.
#include "uir/onnx/writer.h"

#include <array>
#include <cstring>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"

using namespace uir;

namespace {

struct Field {
  uint64_t number = 0, value = 0;
  std::string bytes;
};

// The fields of a message: varints, fixed 32 bits, and bytes.
std::vector<Field> fields_of(const std::string& message) {
  std::vector<Field> fields;
  size_t at = 0;
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(message.at(at++));
      value |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.size()) {
    const uint64_t key = varint();
    Field field{key >> 3, 0, ""};
    if ((key & 7) == 0) field.value = varint();
    const size_t size = (key & 7) == 2 ? varint() : (key & 7) == 5 ? 4 : 0;
    REQUIRE(size <= message.size() - at);
    field.bytes = message.substr(at, size);
    at += size;
    fields.push_back(field);
  }
  return fields;
}

std::vector<Field> all(const std::vector<Field>& fields, uint64_t number) {
  std::vector<Field> found;
  for (const Field& field : fields) {
    if (field.number == number) found.push_back(field);
  }
  return found;
}
std::vector<Field> inside(const std::vector<Field>& fields, uint64_t number) {
  return fields_of(all(fields, number).at(0).bytes);
}

constexpr std::array<float, 6> kValues{1, 2, 3, 4, 5, -6};

OnnxModel tiny_model() {
  return {
      .opset = 13,
      .nodes = {{"Gemm", "product", {"data", "w"}, {"embedding"}, {{"transB", int64_t{1}}, {"alpha", 0.5F}}},
                {"Conv", "other", {"x"}, {"y"}, {{"pads", std::vector<int64_t>{1, 300}}}}},
      .tensors = {{"w", {2, 3}, std::as_bytes(std::span(kValues))}},
      .inputs = {{"data", {kFreeSize, 3}}},
      .outputs = {{"embedding", {kFreeSize, 2}}},
      .metadata = {{"color_order", "RGB"}}};
}

std::string written(const OnnxModel& model) {
  const TempFolder folder;
  OutputFile out(folder / "x.onnx");
  write_onnx(model, out);
  out.close();
  return read_text_file(folder / "x.onnx");
}

}  // namespace

TEST_CASE("an ONNX file holds its nodes, tensors and values in the specification's fields", "[onnx]") {
  const auto model = fields_of(written(tiny_model()));
  CHECK(all(model, 1).at(0).value == 7);  // ir_version
  CHECK(all(inside(model, 8), 1).at(0).bytes.empty());
  CHECK(all(inside(model, 8), 2).at(0).value == 13);
  CHECK(all(inside(model, 14), 1).at(0).bytes == "color_order");
  CHECK(all(inside(model, 14), 2).at(0).bytes == "RGB");

  const auto graph = inside(model, 7);
  const auto node = inside(graph, 1);
  CHECK(all(node, 1).at(1).bytes == "w");
  CHECK(all(node, 2).at(0).bytes == "embedding");
  CHECK(all(node, 4).at(0).bytes == "Gemm");
  const auto integer = fields_of(all(node, 5).at(0).bytes), number = fields_of(all(node, 5).at(1).bytes);
  CHECK(all(integer, 1).at(0).bytes == "transB");
  CHECK(all(integer, 3).at(0).value == 1);
  CHECK(all(integer, 20).at(0).value == 2);
  CHECK(all(number, 2).at(0).bytes == std::string("\0\0\0\x3f", 4));
  CHECK(all(number, 20).at(0).value == 1);
  const auto list = inside(fields_of(all(graph, 1).at(1).bytes), 5);
  CHECK(all(list, 8).at(1).value == 300);
  CHECK(all(list, 20).at(0).value == 7);

  const auto tensor = inside(graph, 5);
  CHECK(all(tensor, 1).at(0).value == 2);
  CHECK(all(tensor, 1).at(1).value == 3);
  CHECK(all(tensor, 2).at(0).value == 1);  // FLOAT
  CHECK(all(tensor, 8).at(0).bytes == "w");
  std::array<float, 6> values{};
  REQUIRE(all(tensor, 9).at(0).bytes.size() == sizeof values);
  std::memcpy(values.data(), all(tensor, 9).at(0).bytes.data(), sizeof values);
  CHECK(values == kValues);

  const auto input = inside(graph, 11);
  CHECK(all(input, 1).at(0).bytes == "data");
  const auto type = inside(inside(input, 2), 1);
  CHECK(all(type, 1).at(0).value == 1);
  const auto sizes = all(inside(type, 2), 1);
  REQUIRE(sizes.size() == 2);
  CHECK(all(fields_of(sizes[0].bytes), 2).at(0).bytes == "batch");
  CHECK(all(fields_of(sizes[1].bytes), 1).at(0).value == 3);
}

TEST_CASE("opsets get the IR version of their time, unknown ones are refused", "[onnx]") {
  using Versions = std::pair<int64_t, uint64_t>;
  for (const auto& [opset, ir] : {Versions(11, 6), Versions(12, 7), Versions(14, 7), Versions(15, 8),
                                  Versions(18, 8), Versions(19, 9), Versions(20, 9), Versions(21, 10)}) {
    OnnxModel model = tiny_model();
    model.opset = opset;
    CHECK(all(fields_of(written(model)), 1).at(0).value == ir);
  }
  for (const int64_t opset : {0, 10, 22}) {
    OnnxModel model = tiny_model();
    model.opset = opset;
    CHECK(fails_with(ErrorKind::kUsage, [&] { written(model); }));
  }
}

TEST_CASE("an ONNX file of 2 GiB is refused before a byte is written", "[onnx]") {
  OnnxModel model = tiny_model();
  const auto* begin = reinterpret_cast<const std::byte*>(kValues.data());
  // Never read: the sizes alone decide.
  for (int i = 0; i < 2; ++i) model.tensors.push_back({"large", {1 << 28}, {begin, size_t{1} << 30}});
  const TempFolder folder;
  OutputFile out(folder / "x.onnx");
  const auto error = error_of([&] { write_onnx(model, out); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kUsage);
  CHECK_THAT(error->what(), contains_text(".pt"));
  CHECK(out.size() == 0);
}
