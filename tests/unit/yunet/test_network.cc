#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/onnx_networks.h"
#include "support/real_data.h"
#include "support/temp_folder.h"
#include "uir/onnx/reader.h"
#include "uir/yunet/yunet.h"

using namespace uir;

namespace {

std::string refusal_of(const fs::path& path) {
  const auto error = error_of([&] { read_yunet(path); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  CHECK_THAT(error->what(), contains_text(path.filename().string()));
  CHECK_THAT(error->what(), contains_text("face_detection_yunet_2023mar.onnx"));
  return error->what();
}

}  // namespace

TEST_CASE("What is no YuNet is refused by name, with the names of those that are", "[yunet]") {
  const TempFolder temp;
  CHECK(kind_of([&] { read_yunet(temp / "none.onnx"); }) == ErrorKind::kMissingInput);
  std::ofstream(temp / "text.onnx") << "no network";
  refusal_of(temp / "text.onnx");
  CHECK_THAT(refusal_of(small_recogniser().write(temp)), contains_text("is no YuNet detector"));
  // A detector's outputs alone do not make one.
  OnnxBuilder other;
  other.input("input", {1, 3, 64, 64}).output("loc").output("conf").output("iou");
  for (const char* name : {"loc", "conf", "iou"}) other.node("Relu", {"input"}, name);
  CHECK_THAT(refusal_of(other.write(temp, "other.onnx")), contains_text("Conv"));
}

TEST_CASE("Published files that were changed are refused where they say another thing", "[yunet]") {
  const fs::path folder = real_data("detector");
  if (folder.empty()) return;
  for (const char* year : {"2022", "2023"}) {
    const OnnxFile file = read_onnx(folder / (std::string("face_detection_yunet_") + year + "mar.onnx"));
    CHECK(yunet_of(file.model).stages.size() == (std::string(year) == "2022" ? 6 : 5));
    const auto changed = [&](auto&& change) {
      OnnxModel model = file.model;
      change(model);
      const auto error = error_of([&] { yunet_of(model); });
      REQUIRE(error);
      CHECK(error->kind() == ErrorKind::kData);
      return std::string(error->what());
    };
    const auto attribute = [&](const char* type, const char* name, OnnxAttribute value) {
      return changed([&](OnnxModel& model) {
        const auto node = std::ranges::find(model.nodes, type, &OnnxNode::type);
        REQUIRE(node != model.nodes.end());
        for (auto& [key, old] : node->attributes) {
          if (key == name) old = value;
        }
      });
    };
    CHECK_THAT(attribute("Conv", "strides", std::vector<int64_t>{1, 1}), contains_text("Conv"));
    CHECK_THAT(attribute("Conv", "pads", std::vector<int64_t>{0, 0, 0, 0}), contains_text("Conv"));
    CHECK_THAT(attribute("MaxPool", "kernel_shape", std::vector<int64_t>{3, 3}), contains_text("MaxPool"));
    CHECK_THAT(attribute("Transpose", "perm", std::vector<int64_t>{0, 1, 2, 3}), contains_text("Transpose"));
    // Weights of another shape, with as many numbers.
    for (OnnxTensor tensor : file.model.tensors) {
      if (tensor.shape.size() != 4) continue;
      changed([&](OnnxModel& model) {
        const auto at = std::ranges::find(model.tensors, tensor.name, &OnnxTensor::name);
        at->shape = {at->shape[0] * at->shape[1] * at->shape[2] * at->shape[3], 1, 1, 1};
      });
    }
    // Without any one of its layers.
    for (size_t i = 0; i < file.model.nodes.size(); ++i) {
      const std::string type = file.model.nodes[i].type;
      if (type != "Conv" && type != "Relu" && type != "MaxPool") continue;
      changed(
          [&](OnnxModel& model) { model.nodes.erase(model.nodes.begin() + static_cast<std::ptrdiff_t>(i)); });
    }
  }
}

TEST_CASE("Damaged files are refused or give finite faces", "[yunet]") {
  const fs::path folder = real_data("detector");
  if (folder.empty()) return;
  const TempFolder temp;
  std::mt19937 random(5);
  std::vector<uint8_t> rgb(size_t{96} * 96 * 3);
  for (uint8_t& byte : rgb) byte = static_cast<uint8_t>(random());
  int refused = 0;
  for (int i = 0; i < 150; ++i) {
    std::ifstream in(
        folder / (i % 2 ? "face_detection_yunet_2022mar.onnx" : "face_detection_yunet_2023mar.onnx"),
        std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (i < 30) bytes.resize(random() % bytes.size());
    const int changes = i < 30 ? 0 : i < 90 ? 20 : 3;
    // The graph lies at the front, weights behind it.
    for (int k = 0; k < changes; ++k)
      bytes[random() % (k % 2 ? bytes.size() : bytes.size() / 15)] = static_cast<char>(random());
    std::ofstream(temp / "damaged.onnx", std::ios::binary) << bytes;
    const auto error = error_of([&] {
      for (const YuNetFace& face : YuNet(temp / "damaged.onnx").detect(rgb.data(), 96, 96, 0.1f)) {
        CHECK(std::isfinite(face.score));
        CHECK(std::isfinite(face.x + face.y + face.width + face.height));
      }
    });
    if (error) CHECK(error->kind() == ErrorKind::kData);
    refused += error.has_value();
  }
  CHECK(refused > 30);
}
