// Files of torch.save, put together opcode by opcode; cli.torch_weights reads what PyTorch itself writes.
#include <array>
#include <cstring>

#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "support/torch_pickles.h"
#include "support/zip_archive.h"
#include "uir/formats/torch_file.h"

using namespace uir;

namespace {

const std::string kFloats = storage("FloatStorage", "0", 24);

std::vector<float> values_of(const TensorView& view) {
  std::vector<float> values(view.bytes.size() / sizeof(float));
  std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
  return values;
}

std::string refusal(const TempFolder& folder, const std::string& bytes) {
  write_bytes(folder / "f", bytes);
  const auto error = error_of([&] { (void)TorchFile(folder / "f").root().tensors(); });
  if (!error) return "accepted";
  REQUIRE(error->kind() == ErrorKind::kData);
  return error->what();
}

}  // namespace

TEST_CASE("torch file: tensors are views of their storage, or copies where strides leave its order") {
  TempFolder folder;
  const std::string object =
      dict(text("whole") + tensor(kFloats, 0, {2, 3, 4}, {12, 4, 1}) + text("part") +
           tensor(kFloats, 5, {2, 2}, {2, 1}) + text("transposed") + tensor(kFloats, 0, {4, 2}, {1, 4}) +
           text("expanded") + tensor(kFloats, 7, {2, 2}, {0, 0}) + text("scalar") +
           tensor(kFloats, 23, {}, {}) + text("empty") + tensor(kFloats, 99, {0, 3}, {3, 1}));
  for (const std::string& bytes : {zip_file(object), legacy_file(object)}) {
    write_bytes(folder / "f", bytes);
    const TorchFile file(folder / "f");
    CHECK(TorchFile::recognises(file.file().bytes()));
    const TorchDict root = file.root();
    CHECK(root.tensors().size() == 6);
    const TensorView whole = *root.tensor("whole"), part = *root.tensor("part");
    CHECK(whole.name == "whole");
    CHECK(whole.shape == std::vector<int64_t>{2, 3, 4});
    CHECK(as_text(whole.bytes) == floats(24));
    CHECK(part.bytes.data() == whole.bytes.data() + 5 * sizeof(float));
    CHECK(values_of(part) == std::vector<float>{5, 6, 7, 8});
    CHECK(values_of(*root.tensor("transposed")) == std::vector<float>{0, 4, 1, 5, 2, 6, 3, 7});
    CHECK(values_of(*root.tensor("expanded")) == std::vector<float>{7, 7, 7, 7});
    CHECK(values_of(*root.tensor("scalar")) == std::vector<float>{23});
    CHECK(root.tensor("scalar")->shape.empty());
    CHECK(root.tensor("empty")->bytes.empty());
    CHECK_FALSE(root.tensor("absent"));
  }
}

TEST_CASE("torch file: dicts within dicts, numbers, and values that are neither") {
  TempFolder folder;
  const std::string inner = global("collections", "OrderedDict") + ")R(" + text("w") +
                            tensor(kFloats, 1, {1}, {1}) + "u" + dict(text("_metadata") + dict("")) + "b";
  const std::string object =
      dict(text("epoch") + "K\x07" + text("rate") + std::string("G\x3f\xf8\0\0\0\0\0\0", 9) + text("done") +
           "\x88" + text("none") + "N" + text("state") + inner + text("list") + "](" + number(1) + "e" +
           number(5) + "K\x01" + text("epoch") + "K\x08" + text("counter") +
           global("collections", "Counter") + dict(number(3) + "K\x01") + "\x85R" + text("pairs") +
           global("collections", "OrderedDict") + "(" + text("k") + "K\x05t\x85\x85R");
  write_bytes(folder / "f", zip_file(object));
  const TorchFile file(folder / "f");
  const TorchDict root = file.root();
  CHECK(root.keys() ==
        std::vector<std::string_view>{"epoch", "rate", "done", "none", "state", "list", "counter", "pairs"});
  CHECK(root.number("epoch") == 8);  // of a repeated key the last counts, as in Python
  CHECK(root.number("rate") == 1.5);
  CHECK(root.number("done") == 1);
  CHECK_FALSE(root.number("none"));
  CHECK_FALSE(root.dict("epoch"));
  REQUIRE(root.dict("state"));
  CHECK(root.dict("state")->keys() == std::vector<std::string_view>{"w"});
  CHECK(values_of(*root.dict("state")->tensor("w")) == std::vector<float>{1});
  CHECK(root.tensors().empty());
}

TEST_CASE("torch file: everything else is refused by name, and nothing is executed") {
  TempFolder folder;
  const auto refused = [&](const std::string& object, const std::string& reason) {
    const std::string message = refusal(folder, zip_file(object));
    INFO(message);
    CHECK(message.find(reason) != std::string::npos);
    CHECK(message.find(": ") != std::string::npos);
  };
  REQUIRE(refusal(folder, zip_file(dict(text("w") + tensor(kFloats, 0, {24}, {1})))) == "accepted");
  refused(global("posix", "system") + text("touch /tmp/uir-owned") + "\x85R", "an object of 'posix.system'");
  refused(global("builtins", "eval") + text("1") + "\x85R", "an object of 'builtins.eval'");
  refused(global("backbones.iresnet", "IResNet") + ")R", "save model.state_dict()");
  refused(global("backbones.iresnet", "IResNet") + ")\x81" + dict(text("training") + "\x88") + "b",
          "an object of 'backbones.iresnet.IResNet', perhaps a whole model");
  refused(dict(text("w") + tensor(storage("CharStorage", "0", 24), 0, {24}, {1})),
          "'w' (torch.CharStorage) is a tensor of int8; save it as float32");
  refused(global("torch", "FloatStorage") + ")R", "calls an element type");
  refused("\x82\x01", "opcode EXT1 is not allowed");
  refused(kFloats + dict("") + "b", "sets the state of something that is no dict");
  refused(dict(text("w")), "a key without value");
  refused("]" + text("a") + "K\x01s", "no dict");
  refused("(" + text("model") + "N" + "N" + "N" + "NtQ", "something else than a storage");
  refused(storage("FloatStorage", "7", 24), "storage '7' is missing in the archive");
  refused(storage("FloatStorage", "0", 23), "expected 23 elements of 4");
  refused(storage("DoubleStorage", "0", 24), "expected 24 elements of 8");
  refused(storage("FloatStorage", "0", -1), "a count is negative");
  refused("(" + kFloats + storage("IntStorage", "0", 24) + "t", "two types or sizes");
  refused(tensor(kFloats, 0, {25}, {1}), "needs element 0 + 24 of 24");
  refused(tensor(kFloats, 24, {1}, {1}), "needs element 24 + 0 of 24");
  refused(tensor(kFloats, 0, {2}, {24}), "needs element");
  refused(tensor(kFloats, 0, {2}, {-1}), "a count is negative");
  refused(tensor(kFloats, 0, {2, 2}, {1}), "2 sizes and 1 strides");
  refused(tensor(kFloats, 0, {int64_t{1} << 40, int64_t{1} << 40}, {0, 0}), "its shape is too large");
  refused(tensor(kFloats, 0, {3, 3}, {INT64_MAX, INT64_MAX}), "its strides are too large");
  refused(tensor(kFloats, 0, {int64_t{1} << 40}, {0}), "larger than the file");
  refused(tensor(kFloats, 0, std::vector<int64_t>(65, 1), std::vector<int64_t>(65, 1)), "65 dimensions");
  refused(number(7), "holds no dict");
}

// As training tools leave them beside a state dict: settings, paths, NumPy's numbers, sets.
TEST_CASE("torch file: what other classes made is passed over, and known by its class") {
  TempFolder folder;
  const std::string settings = global("argparse", "Namespace") + ")\x81" + dict(text("lr") + "K\x01") + "b";
  const std::string attributes = global("parsing", "AttributeDict") + ")\x81" + "(" + text("a") + "K\x01u";
  const std::string scalar = global("numpy.core.multiarray", "scalar") + global("numpy", "dtype") +
                             text("f8") + "\x89\x88\x87R" + global("_codecs", "encode") + text("12345678") +
                             text("latin1") + "\x86R\x86R";
  const std::string bound = global("builtins", "getattr") + global("a", "B") + text("c") + "\x86R)R";
  const std::string by_name = global("x", "Y") + ")}\x92" + "(K\x01\x90";
  const std::string object =
      dict(text("settings") + settings + text("attributes") + attributes + text("best") + scalar +
           text("bound") + bound + text("by_name") + by_name + text("set") + "\x8f(K\x01\x90" +
           text("frozen") + "(K\x01\x91" + text("two") + "K\x02" + "20" + text("large") +
           "\x8a\x09"
           "123456789" +
           text("w") + tensor(kFloats, 3, {2}, {1}));
  for (const std::string& bytes : {zip_file(object), legacy_file(object)}) {
    write_bytes(folder / "f", bytes);
    const TorchFile file(folder / "f");
    CHECK(values_of(*file.root().tensor("w")) == std::vector<float>{3, 4});
    CHECK(file.root().tensors().size() == 1);
    CHECK(file.root().number("two") == 2);
    const std::vector<std::pair<std::string_view, std::string_view>> expected{
        {"settings", "argparse.Namespace"},
        {"attributes", "parsing.AttributeDict"},
        {"best", "numpy.core.multiarray.scalar"},
        {"bound", "builtins.getattr"},
        {"by_name", "x.Y"}};
    CHECK(file.root().objects() == expected);
  }
}

TEST_CASE("torch file: tensors of kinds that are not read are refused by name, where they are asked for") {
  TempFolder folder;
  const auto rebuild_as = [](const std::string& dtype) {
    return global("torch._utils", "_rebuild_tensor_v3") + "(" + storage("UntypedStorage", "0", 96) +
           number(0) + tuple({4}) + tuple({1}) + "\x89" + global("collections", "OrderedDict") + ")R" +
           global("torch", dtype) + "tR";
  };
  const std::string rebuild = rebuild_as("float8_e4m3fn");
  const std::string quantised = global("torch._utils", "_rebuild_qtensor") + "(" +
                                storage("QInt8Storage", "9", 4) + number(0) + tuple({4}) + tuple({1}) + "tR";
  const std::string distributed = global("torch.distributed.tensor", "DTensor") + ")\x81";
  const std::string parameter = global("torch._utils", "_rebuild_parameter") + "(" + rebuild + "\x88)tR";
  for (const auto& [value, words] : std::vector<std::pair<std::string, std::string>>{
           {rebuild, "'w' (torch.float8_e4m3fn) is a tensor of float8"},
           {parameter, "'w' (torch.float8_e4m3fn) is a tensor of float8"},
           {quantised, "'w' (torch._utils._rebuild_qtensor) is a quantised tensor"},
           {distributed, "'w' (torch.distributed.tensor.DTensor) is a tensor whose values lie elsewhere"}}) {
    INFO(words);
    CHECK(refusal(folder, zip_file(dict(text("w") + value))).find(words) != std::string::npos);
    // Elsewhere in the file they do not matter.
    write_bytes(folder / "f", zip_file(dict(text("state") + dict(text("a") + rebuild_as("float32")) +
                                            text("other") + dict(text("w") + value))));
    CHECK(TorchFile(folder / "f").root().dict("state")->tensors().size() == 1);
  }
  CHECK(refusal(folder, legacy_file(dict(text("w") + quantised))).find("QInt8Storage") != std::string::npos);
}

TEST_CASE("torch file: tensors of a class of their own, and of dicts in dicts") {
  TempFolder folder;
  const std::string own = global("torch._tensor", "_rebuild_from_type_v2") + "(" +
                          global("torch._utils", "_rebuild_tensor_v2") + global("fastai", "TensorBase") +
                          "(" + kFloats + "K\x05" + tuple({1}) + tuple({1}) + "\x89" +
                          global("collections", "OrderedDict") + ")Rt}tR";
  // The inner dict names itself.
  const std::string circle = "}q\x07(" + text("x") + own + text("self") + "h\x07u";
  write_bytes(folder / "f", zip_file(dict(text("a") + tensor(kFloats, 0, {1}, {1}) + text("in") + circle)));
  const TorchFile file(folder / "f");
  std::vector<std::string> names;
  for (const TensorView& view : file.root().all_tensors()) names.push_back(view.name);
  CHECK(names == std::vector<std::string>{"a", "in.x"});
  CHECK(values_of(*file.root().dict("in")->tensor("x")) == std::vector<float>{5});
}

TEST_CASE("torch file: containers") {
  TempFolder folder;
  const std::string object = dict(text("w") + tensor(kFloats, 0, {24}, {1}));
  const auto archive = [&](const std::string& name, const std::string& content) {
    ZipArchive zip;
    zip.add("any/data.pkl", pickled(object));
    zip.add("any/data/0", floats(24));
    zip.add(name, content);
    return zip.bytes();
  };
  CHECK(refusal(folder, archive("any/byteorder", "little")) == "accepted");
  CHECK(refusal(folder, archive("any/byteorder", "big")).find("expected 'little'") != std::string::npos);
  CHECK(refusal(folder, archive("any/constants.pkl", "")).find("TorchScript") != std::string::npos);
  ZipArchive other;
  other.add("word/document.xml", "");
  CHECK(refusal(folder, other.bytes()).find("without data.pkl") != std::string::npos);
  CHECK(refusal(folder, "anything").find("neither of the containers") != std::string::npos);
  std::string flipped = zip_file(object);
  flipped[flipped.find(floats(24)) + 40] ^= 1;
  CHECK(refusal(folder, flipped).find("entry 'any/data/0': checksum") != std::string::npos);

  const std::string legacy = legacy_file(object);
  REQUIRE(refusal(folder, legacy) == "accepted");
  for (size_t size = 0; size < legacy.size(); ++size)
    CHECK(refusal(folder, legacy.substr(0, size)) != "accepted");
  const std::string zip = zip_file(object);
  for (size_t size = 0; size < zip.size(); ++size) CHECK(refusal(folder, zip.substr(0, size)) != "accepted");
  CHECK(fails_with(ErrorKind::kMissingInput, [&] { TorchFile file(folder / "absent"); }));
}

TEST_CASE("torch file: memory is bounded by the file, whatever the pickle repeats") {
  TempFolder folder;
  // As whole modules are: many small objects in a small file.
  std::string objects;
  for (int i = 0; i < 20'000; ++i) objects += text("o" + std::to_string(i)) + "}";
  CHECK(refusal(folder, zip_file(dict(objects))) == "accepted");
  // Three bytes of file for each reference in a list.
  std::string references = "}q\x01]";
  for (int i = 0; i < 8'000'000; ++i) references += std::string("h\x01", 2) + "a";
  CHECK(refusal(folder, zip_file(references)).find("needs more memory") != std::string::npos);
  CHECK(refusal(folder, zip_file(std::string(8'000'000, '('))).find("needs more memory") !=
        std::string::npos);
}
