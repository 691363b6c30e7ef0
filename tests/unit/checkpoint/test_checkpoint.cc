#include <ATen/ops/stack.h>

#include "uir/checkpoint/weights.h"
//
#include "checkpoint_support.h"

using namespace uir;
using namespace checkpoint_test;

TEST_CASE("tensor files: every element type and layout comes back") {
  TempFolder folder;
  NamedTensors tensors;
  for (const auto type :
       {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kByte, at::kBool}) {
    tensors[c10::toString(type)] = at::arange(6).remainder(2).view({2, 3}).to(type);
    tensors[concat("odd", c10::toString(type))] = at::ones({3}, type);
  }
  tensors["transposed"] = at::arange(6, at::kFloat).view({2, 3}).t();
  tensors["scalar"] = at::scalar_tensor(3, at::kLong);
  tensors["empty"] = at::empty({0, 4}, at::kFloat);
  tensors["gradient"] = at::ones({2}, at::kFloat).requires_grad_();
  const WrittenFile written = write_tensors(folder / "t", tensors, {{"a", "b"}});

  CHECK(written.bytes == fs::file_size(folder / "t"));
  CHECK(written.checksum == checksum64(as_bytes(read_bytes(folder / "t"))));
  const SafetensorsFile file(folder / "t");
  CHECK(same(to_tensors(file), tensors));
  for (const TensorView& view : file.tensors()) {
    CHECK(written.tensor_checksums.at(view.name) == checksum64(view.bytes));
    CHECK(reinterpret_cast<uintptr_t>(view.bytes.data()) % element_size(view.type) == 0);
    CHECK(tensor_type(scalar_type(view.type)) == view.type);
  }
  CHECK(fails_with(ErrorKind::kInternal, [&] {
    write_tensors(folder / "t", {{"c", at::zeros({1}, at::kComplexFloat)}}, {});
  }));
}

TEST_CASE("tensor files: a truth value of 2 is refused") {
  TempFolder folder;
  SafetensorsWriter writer(folder / "t", {{"b", TensorType::kBool, {2}}}, {});
  writer.write(as_bytes("\x01\x02"));
  writer.close();
  CHECK(fails_with(ErrorKind::kData, [&] { to_tensors(SafetensorsFile(folder / "t")); }));
}

TEST_CASE("checkpoint: everything comes back") {
  TempFolder root;
  const fs::path folder = write_checkpoint(root.path(), make_contents(1000));
  CHECK(folder == root / "step-0000001000");
  const Checkpoint checkpoint = open_checkpoint(folder);
  CHECK(holds(checkpoint, 1000));
  CHECK(checkpoint.num_classes() == 5);
  CHECK(checkpoint.num_ranks() == 1);
  CHECK(checkpoint.threads() == 2);
  CHECK(checkpoint.model_config() == make_contents(1000).model_config);
  CHECK(checkpoint.data_fingerprint() == "d1");
  CHECK(checkpoint.classes_fingerprint() == "c1");
  CHECK_FALSE(checkpoint.libtorch_version().empty());
  CHECK(names_in(folder) == std::vector<std::string>{"centers-00000-of-00001.safetensors",
                                                     "centers-optimizer-00000-of-00001.safetensors",
                                                     "config.yaml", "manifest.json", "model.safetensors",
                                                     "optimizer.safetensors", "state.safetensors"});
  CHECK(names_in(root.path()) == std::vector<std::string>{"latest", "step-0000001000"});
  CHECK(read_bytes(root / "latest").starts_with("step-0000001000 "));
  CHECK(latest_checkpoint(root.path())->step() == 1000);
  CHECK(fails_with(ErrorKind::kInternal, [&] { checkpoint.read_centers({0, 6}); }));
}

TEST_CASE("checkpoint: weights come from a checkpoint folder or any safetensors file") {
  TempFolder root;
  const fs::path folder = write_checkpoint(root.path(), make_contents(7));
  const Weights weights = read_weights(folder);
  CHECK(same(weights.tensors, make_contents(7).model));
  CHECK(weights.metadata.at("color_order") == "RGB");
  CHECK(Json::parse(weights.metadata.at("architecture")) == make_contents(7).model_config);
  CHECK(weights.checksum == checksum_hex(as_bytes(read_bytes(folder / "model.safetensors"))));
  CHECK(read_weights(folder / "model.safetensors").checksum == weights.checksum);
  const auto centers = read_class_centers(folder);
  REQUIRE(centers);
  CHECK(centers->num_classes == 5);
  CHECK(centers->dim == 3);
  CHECK(centers->classes_fingerprint == "c1");
  const std::vector<int64_t> rows{3, 1};
  CHECK(same(centers->read(rows), at::stack({make_contents(7).centers[3], make_contents(7).centers[1]})));
  CHECK_FALSE(read_class_centers(folder / "model.safetensors"));
  CHECK(fails_with(ErrorKind::kMissingInput, [&] { read_weights(root / "absent"); }));
  CHECK(fails_with(ErrorKind::kData, [&] { read_weights(root.path()); }));  // the folder of checkpoints
}

TEST_CASE("checkpoint: shards written by 1 to 4 ranks are read as 1 to 4, exactly") {
  for (const int64_t num_classes : {3, 7}) {
    for (int64_t writers = 1; writers <= 4; ++writers) {
      TempFolder root;
      write_as_ranks(root.path(), 9, num_classes, writers);
      CHECK_FALSE(has_leftovers(root.path()));
      const Checkpoint checkpoint = open_checkpoint(root / "step-0000000009");
      CHECK(checkpoint.num_ranks() == writers);
      for (int64_t readers = 1; readers <= 4; ++readers) {
        for (int64_t rank = 0; rank < readers; ++rank) {
          const CheckpointContents expected = make_contents(9, num_classes, rank, readers);
          CHECK(same(checkpoint.read_centers(expected.rows), expected.centers));
          CHECK(same(checkpoint.read_centers_optimizer(expected.rows), expected.centers_optimizer));
        }
      }
    }
  }
}

TEST_CASE("checkpoint: pruning keeps the newest, the best and, when the newest is damaged, everything") {
  TempFolder root;
  for (const int64_t step : {1, 2, 3, 4, 5}) write_checkpoint(root.path(), make_contents(step));
  mark_best(root.path(), {"step-0000000002", "lfw", 0.93});
  const auto count = [&] { return names_in(root.path()).size() - 2; };  // without latest and best

  const std::string good = read_bytes(root / "step-0000000005/config.yaml");
  {
    Warnings warnings;
    write_bytes(root / "step-0000000005/config.yaml", good + "x");
    prune_checkpoints(root.path(), 2);
    CHECK(count() == 5);
    CHECK(warnings.lines.size() == 1);
  }
  write_bytes(root / "step-0000000005/config.yaml", good);
  prune_checkpoints(root.path(), 2);
  CHECK(names_in(root.path()) ==
        std::vector<std::string>{"best", "latest", "step-0000000002", "step-0000000004", "step-0000000005"});

  // Resumed from an earlier step: what an abandoned run left after it goes first.
  fs::remove_all(root / "step-0000000002");
  write_checkpoint(root.path(), make_contents(3));
  write_checkpoint(root.path(), make_contents(4));
  write_checkpoint(root.path(), make_contents(2));
  write_checkpoint(root.path(), make_contents(3));
  prune_checkpoints(root.path(), 2);
  CHECK(names_in(root.path()) ==
        std::vector<std::string>{"best", "latest", "step-0000000002", "step-0000000003"});
  CHECK(fails_with(ErrorKind::kInternal, [&] { prune_checkpoints(root.path(), 1); }));
  prune_checkpoints(root / "absent", 2);
}

TEST_CASE("checkpoint: the best marker") {
  TempFolder root;
  CHECK_FALSE(best_checkpoint(root.path()));
  write_checkpoint(root.path(), make_contents(1));
  mark_best(root.path(), {"step-0000000001", "lfw", 0.1});
  const auto best = best_checkpoint(root.path());
  REQUIRE(best);
  CHECK(best->name == "step-0000000001");
  CHECK(best->metric == "lfw");
  CHECK(best->value == 0.1);  // exactly
  const std::string good = read_bytes(root / "best");
  for (size_t position = 0; position < good.size(); ++position) {
    std::string bad = good;
    bad[position] ^= 4;
    write_bytes(root / "best", bad);
    REQUIRE(fails_with(ErrorKind::kData, [&] { best_checkpoint(root.path()); }));
  }
  mark_best(root.path(), {"../outside", "lfw", 0.1});
  CHECK(fails_with(ErrorKind::kData, [&] { best_checkpoint(root.path()); }));
  mark_best(root.path(), {"step-0000000009", "lfw", 0.1});
  CHECK_FALSE(best_checkpoint(root.path()));
}

TEST_CASE("checkpoint: left-overs are removed, other files are not") {
  TempFolder root;
  for (const char* name : {"step-0000000001.tmp-1", "other.tmp-1", "step-1.tmp-1"})
    fs::create_directories(root / name);
  write_bytes(root / "latest.tmp-1", "");
  write_bytes(root / "best.tmp-77", "");
  remove_leftovers(root.path());
  CHECK(names_in(root.path()) == std::vector<std::string>{"other.tmp-1", "step-1.tmp-1"});
}
