#include "uir/checkpoint/distributed_weights.h"

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "support/torch_pickles.h"
#include "uir/formats/distributed_checkpoint.h"

using namespace uir;

namespace {

const std::string kModule = "torch.distributed.checkpoint.metadata";

std::string object(const std::string& name, const std::string& fields, const std::string& module = kModule) {
  return global(module, name) + ")\x81" + dict(fields) + "b";
}
std::string size(const std::vector<int64_t>& sizes) {
  return global("torch", "Size") + tuple(sizes) + "\x85R";
}

struct Piece {
  std::vector<int64_t> offsets, sizes;
  std::string file;
  int64_t begin = 0, length = 0;
};

std::string tensor_facts(const std::string& name, const std::vector<int64_t>& shape,
                         const std::vector<Piece>& pieces) {
  std::string chunks = "](";
  for (const Piece& piece : pieces)
    chunks += object("ChunkStorageMetadata",
                     text("offsets") + size(piece.offsets) + text("sizes") + size(piece.sizes));
  return text(name) + object("TensorStorageMetadata", text("properties") + "N" + text("size") + size(shape) +
                                                          text("chunks") + chunks + "e");
}
std::string places(const std::string& name, const std::vector<Piece>& pieces, const std::string& more = "") {
  std::string out;
  for (const Piece& piece : pieces) {
    out += object("MetadataIndex",
                  text("fqn") + text(name) + text("offset") + size(piece.offsets) + text("index") + "N");
    out += object("_StorageInfo",
                  text("relative_path") + text(piece.file) + text("offset") + number(piece.begin) +
                      text("length") + number(piece.length) + more,
                  "torch.distributed.checkpoint.filesystem");
  }
  return out;
}
std::string metadata(const std::string& facts, const std::string& where) {
  return pickled(object("Metadata", text("state_dict_metadata") + dict(facts) + text("planner_data") + "N" +
                                        text("storage_data") + dict(where)));
}

// Floats 0, 1, 2, … of a shape, as torch.save writes them.
std::string saved(const std::vector<int64_t>& sizes) {
  std::vector<int64_t> strides(sizes.size(), 1);
  for (size_t d = sizes.size() - 1; d-- > 0;) strides[d] = strides[d + 1] * sizes[d + 1];
  return zip_file(tensor(storage("FloatStorage", "0", 24), 0, sizes, strides));
}

// model.w [5, 4] in two pieces on two ranks, model.n on one, and an optimizer's state.
struct Folder {
  TempFolder folder;
  std::string a = saved({2, 4}), b = saved({3, 4}), n = saved({3});
  std::vector<Piece> w{{{0, 0}, {2, 4}, "__0_0.distcp", 0, 0}, {{2, 0}, {3, 4}, "__1_0.distcp", 7, 0}},
      one{{{0}, {3}, "__0_0.distcp", 0, 0}};

  Folder() {
    write_file_atomically(folder / "__0_0.distcp", a + n);
    write_file_atomically(folder / "__1_0.distcp", "1234567" + b);
    w[0].length = std::ssize(a);
    w[1].length = std::ssize(b);
    one[0].begin = std::ssize(a);
    one[0].length = std::ssize(n);
    write();
  }
  void write(const std::string& more = "") {
    write_file_atomically(
        folder / ".metadata",
        metadata(tensor_facts("model.w", {5, 4}, w) + tensor_facts("model.n", {3}, one) +
                     tensor_facts("optim.m", {3}, one) + text("step") + object("BytesStorageMetadata", ""),
                 places("model.w", w, more) + places("model.n", one) + places("optim.m", one)));
  }
  std::string refused(ErrorKind kind = ErrorKind::kData) const {
    const auto error = error_of([&] { read_weights(folder.path()); });
    REQUIRE(error);
    CHECK(error->kind() == kind);
    return error->what();
  }
};

}  // namespace

TEST_CASE("A distributed checkpoint is put together from its ranks' pieces", "[distributed]") {
  Folder checkpoint;
  const Weights weights = read_weights(checkpoint.folder.path());
  CHECK(weights.kind == "distributed checkpoint of PyTorch, model");
  CHECK(weights.left_out == std::vector<std::string>{"optim"});
  REQUIRE(weights.tensors.size() == 2);
  const at::Tensor w = weights.tensors.at("w");
  CHECK(at::equal(w, at::cat({at::arange(8).view({2, 4}), at::arange(12).view({3, 4})}).to(at::kFloat)));
  CHECK(at::equal(weights.tensors.at("n"), at::arange(3).to(at::kFloat)));
  CHECK_FALSE(read_class_centers(checkpoint.folder.path()));
  write_file_atomically(checkpoint.folder / "__1_0.distcp", "7654321" + checkpoint.b);
  CHECK(read_weights(checkpoint.folder.path()).checksum != weights.checksum);
}

TEST_CASE("What is wrong with a distributed checkpoint is named", "[distributed]") {
  SECTION("a rank's file that is not there") {
    Folder checkpoint;
    fs::remove(checkpoint.folder / "__1_0.distcp");
    CHECK_THAT(checkpoint.refused(ErrorKind::kMissingInput), contains_text("__1_0.distcp"));
  }
  SECTION("pieces that cannot be") {
    const auto refused = [](const auto& change) {
      Folder checkpoint;
      change(checkpoint.w);
      checkpoint.write();
      return checkpoint.refused();
    };
    CHECK_THAT(refused([](auto& w) { w[1].file = "../elsewhere"; }), contains_text("elsewhere"));
    CHECK_THAT(refused([](auto& w) { w[1].length += 1; }), contains_text("beyond the end"));
    CHECK_THAT(refused([](auto& w) { w.pop_back(); }), contains_text("do not cover it"));
    CHECK_THAT(refused([](auto& w) { w[1].offsets = {1, 0}; }), contains_text("overlap"));
    CHECK_THAT(refused([](auto& w) { w[1].sizes = {3, 5}; }), contains_text("overlap, leave it"));
    CHECK_THAT(refused([](auto& w) { w[1].begin = 3; }), contains_text("__1_0.distcp"));
  }
  SECTION("what is not read") {
    Folder checkpoint;
    checkpoint.write(text("transform_descriptors") + "](" + text("zstd") + "e");
    CHECK_THAT(checkpoint.refused(), contains_text("compressed"));
    write_file_atomically(checkpoint.folder / ".metadata", pickled(text("hello")));
    CHECK_THAT(checkpoint.refused(), contains_text("holds no Metadata"));
    write_file_atomically(checkpoint.folder / ".metadata",
                          "\x80\x02"
                          "cos\nsystem\n");
    CHECK_THAT(checkpoint.refused(), contains_text(".metadata"));
  }
}
