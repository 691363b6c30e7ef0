#include <ATen/ops/tensor.h>

#include <functional>

#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "support/torch_pickles.h"
#include "uir/checkpoint/tensor_io.h"
#include "uir/checkpoint/weights.h"

using namespace uir;

namespace {

// One rank's file of InsightFace: a backbone of one tensor, and `rows` class centers of 2 numbers: first,
// first + 1, ….
std::string rank_file(int64_t rows, int64_t first, int64_t step = 7) {
  const std::string of = storage("FloatStorage", "0", 100);
  return zip_file(dict(text("global_step") + number(step) + text("state_dict_backbone") +
                       dict(text("w") + tensor(of, 0, {3}, {1})) + text("state_dict_softmax_fc") +
                       dict(text("weight") + tensor(of, first, {rows, 2}, {2, 1}))),
                  100);
}

void write_ranks(const fs::path& folder, const std::vector<std::string>& files) {
  fs::create_directories(folder);
  for (size_t rank = 0; rank < files.size(); ++rank)
    write_bytes(folder / concat("checkpoint_gpu_", rank, ".pt"), files[rank]);
}

std::vector<float> values_of(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), tensor.data_ptr<float>() + tensor.numel()};
}

std::string refusal(const fs::path& path) {
  const auto error = error_of([&] { read_class_centers(path); });
  if (!error) return "accepted";
  REQUIRE(error->kind() == ErrorKind::kData);
  return error->what();
}

}  // namespace

TEST_CASE("weights: a state dict of PyTorch, bare or under a key") {
  TempFolder folder;
  const std::string of = storage("FloatStorage", "0", 24);
  const std::string state = dict(text("a") + tensor(of, 4, {2}, {1}) + text("n") + "K\x01");
  for (const auto& [object, kind] : std::vector<std::pair<std::string, std::string>>{
           {state, "PyTorch state dict"},
           {dict(text("epoch") + "K\x01" + text("state_dict") + state), "PyTorch file, state_dict"},
           {dict(text("model") + state + text("state_dict_backbone") + state),
            "PyTorch file, state_dict_backbone"}}) {
    for (const std::string& bytes : {zip_file(object), legacy_file(object)}) {
      write_bytes(folder / "f.pt", bytes);
      const Weights weights = read_weights(folder / "f.pt");
      CHECK(weights.kind == kind);
      REQUIRE(weights.tensors.size() == 1);
      CHECK(values_of(weights.tensors.at("a")) == std::vector<float>{4, 5});
      CHECK(weights.checksum == checksum_hex(as_bytes(bytes)));
      CHECK_FALSE(read_class_centers(folder / "f.pt"));
    }
  }
  write_bytes(folder / "f.pt", zip_file(dict(text("epoch") + "K\x01")));
  const auto error = error_of([&] { read_weights(folder / "f.pt"); });
  REQUIRE(error);
  CHECK(std::string(error->what()).find("it has the keys epoch; expected tensors") != std::string::npos);
}

TEST_CASE("weights: dicts in dicts, and what stands beside the state dict") {
  TempFolder folder;
  const std::string of = storage("FloatStorage", "0", 24);
  const auto state = [&](int64_t offset) { return dict(text("a") + tensor(of, offset, {1}, {1})); };
  const auto read = [&](const std::string& object) {
    write_bytes(folder / "f.ckpt", zip_file(object));
    return read_weights(folder / "f.ckpt");
  };
  const auto names = [](const Weights& weights) {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : weights.tensors) names.push_back(name);
    return names;
  };
  const Weights nested =
      read(dict(text("state_dict") + dict(text("model") + state(3) + text("head") + state(5))));
  CHECK(nested.kind == "PyTorch file, state_dict.model");
  CHECK(values_of(nested.tensors.at("a")) == std::vector<float>{3});
  CHECK(nested.left_out == std::vector<std::string>{"state_dict.head"});

  const Weights beside = read(dict(text("state_dict_ema") + state(1) + text("state_dict") + state(2) +
                                   text("state_dict_softmax_fc") + state(4) + text("none") + dict("")));
  CHECK(values_of(beside.tensors.at("a")) == std::vector<float>{2});
  CHECK(beside.left_out == std::vector<std::string>{"state_dict_ema"});

  // An array of NumPy among settings is no tensor that could not be read.
  const std::string array = global("numpy.core.multiarray", "_reconstruct") + ")R";
  const Weights settings =
      read(dict(text("state_dict") + state(2) + text("hyper_parameters") + dict(text("mean") + array)));
  CHECK(values_of(settings.tensors.at("a")) == std::vector<float>{2});
  CHECK(settings.left_out.empty());

  CHECK(names(read(dict(text("student") + state(1) + text("teacher") + state(2)))) ==
        std::vector<std::string>{"student.a", "teacher.a"});
  CHECK(names(read(dict(text("ema") + dict(text("module") + state(1))))) ==
        std::vector<std::string>{"ema.module.a"});

  const std::string model = global("nets", "IResNet") + ")\x81";
  write_bytes(folder / "f.ckpt", zip_file(dict(text("model") + model + text("epoch") + "K\x01")));
  const auto error = error_of([&] { read_weights(folder / "f.ckpt"); });
  REQUIRE(error);
  CHECK(std::string(error->what()).find("'model' is an object of 'nets.IResNet'") != std::string::npos);
  CHECK(std::string(error->what()).find("save model.state_dict()") != std::string::npos);
}

TEST_CASE("weights: files and folders of other tools are refused by name, absent ones as missing") {
  TempFolder folder;
  write_bytes(folder / "page.pth", "<html>sign in</html>");
  fs::create_directories(folder / "distributed");
  write_bytes(folder / "distributed/__0_0.distcp", "x");
  fs::create_directories(folder / "empty");
  for (const auto& read : std::vector<std::function<void(const fs::path&)>>{
           [](const fs::path& path) { read_weights(path); },
           [](const fs::path& path) { read_class_centers(path); }}) {
    const auto page = error_of([&] { read(folder / "page.pth"); });
    REQUIRE(page);
    CHECK(page->kind() == ErrorKind::kData);
    CHECK(std::string(page->what()).find("page.pth: is a web page (HTML)") != std::string::npos);
    const auto distributed = error_of([&] { read(folder / "distributed"); });
    REQUIRE(distributed);
    CHECK(distributed->kind() == ErrorKind::kData);
    CHECK(std::string(distributed->what()).find("holds its .metadata") != std::string::npos);
    CHECK(fails_with(ErrorKind::kMissingInput, [&] { read(folder / "absent.pth"); }));
    CHECK(fails_with(ErrorKind::kMissingInput, [&] { read(folder / "empty"); }));
  }
}

TEST_CASE("weights: shards with an index are one state dict") {
  const TempFolder folder;
  const auto index = [&](const std::string& map) {
    write_bytes(folder / "model.safetensors.index.json", "{\"metadata\": {}, \"weight_map\": " + map + "}");
    return folder / "model.safetensors.index.json";
  };
  write_tensors(folder / "a.safetensors", {{"x", at::tensor({1.0F, 2.0F})}, {"unused", at::tensor({9.0F})}},
                {{"k", "v"}});
  write_tensors(folder / "b.safetensors", {{"y", at::tensor({3.0F})}}, {});
  write_bytes(folder / "c.bin",
              zip_file(dict(text("z") + tensor(storage("FloatStorage", "0", 100), 0, {3}, {1})), 100));
  const fs::path file = index(R"({"x": "a.safetensors", "y": "b.safetensors", "z": "c.bin"})");
  std::string checksum;
  for (const fs::path& path : {file, folder.path()}) {
    const Weights weights = read_weights(path);
    CHECK(weights.tensors.size() == 3);
    CHECK(values_of(weights.tensors.at("x")) == std::vector<float>{1, 2});
    CHECK(values_of(weights.tensors.at("y")) == std::vector<float>{3});
    CHECK(weights.tensors.at("z").numel() == 3);
    CHECK(weights.metadata.at("k") == "v");
    CHECK(weights.kind == "3 shard(s) with an index");
    CHECK_FALSE(read_class_centers(path));
    if (!checksum.empty()) CHECK(weights.checksum == checksum);
    checksum = weights.checksum;
  }
  const auto error = [&](const std::string& map) { return error_of([&] { read_weights(index(map)); }); };
  CHECK(error(R"({"x": "gone.safetensors"})")->kind() == ErrorKind::kMissingInput);
  CHECK(std::string(error(R"({"other": "a.safetensors"})")->what()).find("has no tensor 'other'") !=
        std::string::npos);
  CHECK(error(R"({"x": "../a.safetensors"})")->kind() == ErrorKind::kData);
  CHECK(error("{}")->kind() == ErrorKind::kData);
  CHECK(error("[1]")->kind() == ErrorKind::kData);
}

TEST_CASE("weights: class centers of InsightFace's ranks are one matrix") {
  TempFolder folder;
  write_ranks(folder / "run", {rank_file(3, 0), rank_file(2, 6), rank_file(2, 20)});
  CHECK(read_weights(folder / "run").kind == "rank 0 of 3 of InsightFace");
  CHECK(values_of(read_weights(folder / "run").tensors.at("w")) == std::vector<float>{0, 1, 2});
  const auto centers = read_class_centers(folder / "run");
  REQUIRE(centers);
  CHECK(centers->num_classes == 7);
  CHECK(centers->dim == 2);
  CHECK(centers->classes_fingerprint.empty());
  const std::vector<int64_t> rows{6, 0, 3, 2, 5};
  CHECK(values_of(centers->read(rows)) == std::vector<float>{22, 23, 0, 1, 6, 7, 4, 5, 20, 21});
  CHECK(centers->read({}).sizes() == at::IntArrayRef({0, 2}));
  CHECK(fails_with(ErrorKind::kInternal, [&] { centers->read(std::vector<int64_t>{7}); }));
  CHECK(fails_with(ErrorKind::kInternal, [&] { centers->read(std::vector<int64_t>{-1}); }));
  CHECK(read_class_centers(folder / "run/checkpoint_gpu_1.pt")->num_classes == 2);
}

TEST_CASE("weights: ranks that do not belong together are refused") {
  TempFolder folder;
  write_ranks(folder / "counts", {rank_file(2, 0), rank_file(3, 4)});
  CHECK(refusal(folder / "counts")
            .find("checkpoint_gpu_0.pt: 2 class centers, but of 5 over 2 ranks this one holds 3") !=
        std::string::npos);
  write_ranks(folder / "steps", {rank_file(2, 0), rank_file(2, 4, 8)});
  CHECK(refusal(folder / "steps").find("checkpoint_gpu_1.pt: was saved at another step") !=
        std::string::npos);
  write_ranks(folder / "hole", {rank_file(2, 0), rank_file(2, 4), rank_file(2, 8)});
  fs::remove(folder / "hole/checkpoint_gpu_1.pt");
  CHECK(refusal(folder / "hole").find("that of rank 1 is missing") != std::string::npos);
  write_ranks(folder / "without", {rank_file(2, 0), zip_file(dict(""))});
  CHECK(refusal(folder / "without").find("checkpoint_gpu_1.pt: has no state_dict_softmax_fc") !=
        std::string::npos);
}
