// What people give as weights, as the tools of the field write it (tests/cli/torch_weights.sh has real files
// of PyTorch).
#include "uir/formats/weights_kind.h"

#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "support/torch_pickles.h"
#include "support/zip_archive.h"
#include "uir/formats/protobuf_writer.h"
#include "uir/formats/torch_file.h"
#include "uir/onnx/writer.h"

using namespace uir;

namespace {

// The refusal without the path; "safetensors", "torch" or "onnx" if it is taken.
std::string kind_of_file(const TempFolder& folder, const std::string& bytes,
                         const std::string& name = "weights.pth") {
  write_bytes(folder / name, bytes);
  std::string kind;
  const auto error = error_of([&] {
    const WeightsFormat format = weights_format(MappedFile(folder / name));
    kind = format == WeightsFormat::kTorch  ? "torch"
           : format == WeightsFormat::kOnnx ? "onnx"
                                            : "safetensors";
    if (kind == "torch") TorchFile(folder / name).root();
  });
  if (!error) return kind;
  REQUIRE(error->kind() == ErrorKind::kData);
  const std::string message = error->what(), path = (folder / name).string() + ": ";
  REQUIRE(message.starts_with(path));
  return message.substr(path.size());
}

std::string archive_of(const std::vector<std::string>& names, uint16_t method = 0) {
  ZipArchive archive;
  archive.method = method;
  for (const std::string& name : names) archive.add(name, "content");
  return archive.bytes();
}

std::string onnx_file(const TempFolder& folder) {
  OnnxModel model;
  model.opset = 11;
  model.inputs = {{"data", {kFreeSize, 3, 112, 112}}};
  model.outputs = {{"embedding", {kFreeSize, 8}}};
  OutputFile out(folder / "net.onnx");
  write_onnx(model, out);
  out.close();
  return read_bytes(folder / "net.onnx");
}

}  // namespace

TEST_CASE("weights kind: what is read") {
  TempFolder folder;
  CHECK(kind_of_file(folder, std::string("\x02\0\0\0\0\0\0\0{}", 10)) == "safetensors");
  CHECK(kind_of_file(folder, std::string("\xff\0\0\0\0\0\0\0{", 9)) ==
        "safetensors");  // cut: its reader says so
  CHECK(kind_of_file(folder, zip_file(dict(""))) == "torch");
  CHECK(kind_of_file(folder, legacy_file(dict(text("w") + tensor(storage("FloatStorage", "0", 24), 0, {1},
                                                                 {1})))) == "torch");
  const std::string onnx = onnx_file(folder);
  CHECK(kind_of_file(folder, onnx) == "onnx");
  CHECK(kind_of_file(folder, onnx.substr(0, onnx.size() / 2)) == "onnx");  // cut: its reader says so
}

TEST_CASE("weights kind: text in place of a network") {
  TempFolder folder;
  const std::vector<std::pair<std::string, std::string>> cases{
      {"\xef\xbb\xbf\r\n <!DocType HTML public>", "a web page (HTML)"},
      {"<HTML lang=en>", "a web page (HTML)"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "a Git-LFS pointer"},
      {"/annex/objects/SHA256E-s9--00.pth\n", "a git-annex pointer"},
      {"<?xml version=\"1.0\"?>\n<net name=\"r50\" version=\"11\">", "a network of OpenVINO"},
      {"{\"error\": \"Repository not found\"}",
       "a text file that begins '{\"error\": \"Repository not found\"}'"},
      {"Access denied\nSecond line", "a text file that begins 'Access denied'"},
      {"\xe4\xb8\x8b\xe8\xbd\xbd", "a text file that begins '?\?\?\?\?\?'"}};
  for (const auto& [bytes, words] : cases) {
    const std::string kind = kind_of_file(folder, bytes);
    INFO(kind);
    CHECK(kind.starts_with("is " + words));
    CHECK(kind.find("not weights that are read here; ") != std::string::npos);
  }
  CHECK(kind_of_file(folder, cases[2].first).find("git lfs pull") != std::string::npos);
}

TEST_CASE("weights kind: networks of other tools, archives, and files that are not whole") {
  TempFolder folder;
  using namespace std::string_literals;
  const std::string saved_model =
      ProtobufWriter().integer(1, 1).message(2, ProtobufWriter().text(1, "meta")).bytes();
  const std::string frozen =
      ProtobufWriter().message(1, ProtobufWriter().text(1, "import/x_1").text(2, "Placeholder")).bytes() +
      std::string(99, '\xff');
  std::string tar(512, '\0');
  tar.replace(0, 5, "r.pth").replace(257, 5, "ustar");
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "an empty file"},
      {std::string(5000, '\0'), "a file that begins with zeros only"},
      {saved_model, "a SavedModel of TensorFlow"},
      {frozen, "a frozen graph of TensorFlow"},
      {"\x89HDF\r\n\x1a\n\0\0"s, "an HDF5 file"},
      {"\x93NUMPY\x01\0v\0{'descr'"s, "a NumPy array"},
      {"\x12\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0"s, "a network of MXNet"},
      {"\x1c\0\0\0TFL3"s, "a TensorFlow Lite network"},
      {"GGUF\x03\0\0\0"s, "a GGUF file"},
      {"\x1f\x8b\x08\0"s, "a gzip-compressed file"},
      {"\xfd\x37zXZ\0\0"s, "an xz-compressed file"},
      {"\x28\xb5\x2f\xfd\0"s, "a zstd-compressed file"},
      {tar, "a tar archive"},
      {ZipArchive().bytes(), "an empty zip archive"},
      {pickled(dict("")), "a Python pickle that torch.save did not write"},
      {"\x80\x04\x95\0\0\0\0\0\0\0\0}."s, "a Python pickle that torch.save did not write"}};
  for (const auto& [bytes, words] : cases) {
    const std::string kind = kind_of_file(folder, bytes);
    INFO(kind);
    CHECK(kind.starts_with("is " + words));
  }
  CHECK(kind_of_file(folder, "\x01\x02\xfe\x80\x81\x82\x83\x84\x85")
            .find("not known here: it begins 01 02 fe 80 81 82 83 84") != std::string::npos);
}

TEST_CASE("weights kind: zip archives, by the names of their entries, compressed or not") {
  TempFolder folder;
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"m/data.pkl", "m/constants.pkl", "m/code/__torch__.py"}, "a TorchScript program"},
      {{"m/model.json", "m/code/net.py"}, "a TorchScript program"},
      {{"m/archive_format", "m/models/model.json"}, "a program of torch.export"},
      {{"config.json", "model.weights.h5"}, "a network of Keras"},
      {{"arr_0.npy", "conv1.weight.npy"}, "an archive of NumPy arrays"},
      {{"m/saved_model.pb", "m/variables/x"}, "a SavedModel of TensorFlow"},
      {{"w/a.pth", "w/b.pth", "w/c", "w/d"},
       "a zip archive without data.pkl, so torch.save did not write it "
       "(it holds 'w/a.pth', 'w/b.pth', 'w/c', …)"},
      {{"data.pkl"}, "a zip archive without data.pkl"}};
  for (const auto& [names, words] : cases) {
    for (const uint16_t method : {0, 8}) {
      const std::string kind = kind_of_file(folder, archive_of(names, method));
      INFO(kind);
      CHECK(kind.starts_with("is " + words));
    }
  }
  CHECK(kind_of_file(folder, archive_of({"m/data.pkl"}, 8)).find("entry 'm/data.pkl' is compressed") !=
        std::string::npos);
  CHECK(kind_of_file(folder, zip_file(dict("")), "__0_0.distcp").starts_with("is a distributed checkpoint"));
}

TEST_CASE("weights kind: folders, by the names in them") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{".metadata", "__0_0.distcp"}, "a distributed checkpoint of PyTorch"},
      {{"__3_0.distcp"}, "a distributed checkpoint of PyTorch"},
      {{"latest", "zero_to_fp32.py", "global_step5"}, "a checkpoint of DeepSpeed"},
      {{"saved_model.pb", "variables"}, "a SavedModel of TensorFlow"},
      {{"checkpoint", "model.ckpt-9.index", "model.ckpt-9.data-00000-of-00001"},
       "a checkpoint of TensorFlow"},
      {{"model-symbol.json", "model-0000.params"}, "a network of MXNet"},
      {{"data.pkl", "data", "version"}, "an unpacked file of torch.save"},
      {{"checkpoints", "index", "log.jsonl"}, "the folder of a run"},
      {{"latest", "step-0000000005"}, "the folder of all checkpoints"},
      {{"config.json", "model.safetensors"},
       "a folder, not weights that are read here; name the file in it: "
       "model.safetensors"}};
  for (const auto& [names, words] : cases) {
    TempFolder folder;
    for (const std::string& name : names) write_bytes(folder / name, "x");
    const std::string kind = foreign_folder(folder.path());
    INFO(kind);
    CHECK(kind.starts_with("is " + words));
  }
  CHECK(foreign_folder(TempFolder().path()).empty());
  CHECK(foreign_folder("/no/such/folder").empty());
}
