#include "checkpoint_support.h"

using namespace uir;
using namespace checkpoint_test;

TEST_CASE("checkpoint: if one rank cannot write, all fail and nothing is published") {
  TempFolder root;
  write_as_ranks(root.path(), 1, 7, 3);
  static thread_local bool fails_here = false;
  const auto guard = FailpointGuard(0, [](std::string_view) {
    if (fails_here) fail(ErrorKind::kIo, "injected");
  });
  for (const int64_t broken : {0, 1, 2}) {
    CHECK(fails_with(ErrorKind::kIo, [&] {
      write_as_ranks(root.path(), 2, 7, 3, [&](int64_t rank) { fails_here = rank == broken; });
    }));
    CHECK(names_in(root.path()) == std::vector<std::string>{"latest", "step-0000000001"});
  }
}

TEST_CASE("checkpoint: killed at any point of a write, a valid checkpoint is there") {
  TempFolder two;  // copied for each point, which needs no syncing
  for (const int64_t step : {1, 2}) write_checkpoint(two.path(), make_contents(step));
  int survived = 0;
  for (const bool replaces : {false, true}) {
    for (int point = 0;; ++point) {
      TempFolder root;
      fs::copy(two.path(), root.path(), fs::copy_options::recursive);
      if (replaces) fs::remove_all(root / "step-0000000002");  // `latest` names a folder that is gone
      const int64_t next = replaces ? 1 : 3;
      const int code = exit_code_of([&] {
        const FailpointGuard guard(point, die_when_due);
        write_checkpoint(root.path(), make_contents(next));
        prune_checkpoints(root.path(), 2);
      });
      const auto checkpoint = latest_checkpoint(root.path());
      REQUIRE(checkpoint);
      REQUIRE(holds(*checkpoint, checkpoint->step()));
      if (!replaces) REQUIRE(checkpoint->step() >= 2);
      remove_leftovers(root.path());
      REQUIRE_FALSE(has_leftovers(root.path()));
      if (point % 8 == 0) {
        write_checkpoint(root.path(), make_contents(4));
        REQUIRE(holds(*latest_checkpoint(root.path()), 4));
      }
      if (code == 0) break;
      REQUIRE(code == 99);
      ++survived;
    }
  }
  CHECK(survived > 40);  // the failpoints were there
}

TEST_CASE("checkpoint: three ranks killed at any point of a write, a valid checkpoint is there") {
  TempFolder two;
  for (const int64_t step : {1, 2}) write_as_ranks(two.path(), step, 5, 3);
  int survived = 0;
  for (int point = 0;; ++point) {
    TempFolder root;
    fs::copy(two.path(), root.path(), fs::copy_options::recursive);
    // The ranks are threads of one process, so they die together, each wherever it is.
    const int code = exit_code_of([&] {
      const FailpointGuard guard(point, die_when_due);
      write_as_ranks(root.path(), 3, 5, 3);
    });
    const auto checkpoint = latest_checkpoint(root.path());
    REQUIRE(checkpoint);
    REQUIRE(checkpoint->step() >= 2);
    REQUIRE(holds(*checkpoint, checkpoint->step()));
    if (code == 0) {
      CHECK(checkpoint->step() == 3);
      break;
    }
    REQUIRE(code == 99);
    ++survived;
  }
  CHECK(survived > 40);
}

TEST_CASE("checkpoint: a write error at any point leaves the old ones and no temporary") {
  TempFolder root;
  write_checkpoint(root.path(), make_contents(1));
  int failures = 0;
  for (int point = 0;; ++point) {
    const auto error = error_of([&] {
      const FailpointGuard guard(point, fail_when_due);
      write_checkpoint(root.path(), make_contents(2));
    });
    REQUIRE(holds(open_checkpoint(root / "step-0000000001"), 1));
    REQUIRE_FALSE(has_leftovers(root.path()));
    if (!error) break;
    REQUIRE(error->kind() == ErrorKind::kIo);
    ++failures;
  }
  CHECK(failures > 20);
  CHECK(latest_checkpoint(root.path())->step() == 2);
}

TEST_CASE("checkpoint: a full disk is an I/O error that names the file") {
  TempFolder root;
  write_checkpoint(root.path(), make_contents(1));
  // A limit on file sizes stands in for the full disk: the write system call itself fails.
  const int code = exit_code_of([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{700, 700};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto error = error_of([&] { write_checkpoint(root.path(), make_contents(2)); });
    if (error && std::string(error->what()).find("step-0000000002") != std::string::npos) throw *error;
  });
  CHECK(code == 74);
  CHECK(names_in(root.path()) == std::vector<std::string>{"latest", "step-0000000001"});
  CHECK(holds(*latest_checkpoint(root.path()), 1));
}

TEST_CASE(
    "checkpoint: every damaged byte of manifest, headers and markers is noticed, and random ones elsewhere") {
  TempFolder root;
  write_checkpoint(root.path(), make_contents(1));
  const fs::path folder = write_checkpoint(root.path(), make_contents(2));
  ItemRandom random(1, RandomPurpose::kTest, 0, 0);
  for (const std::string& name : names_in(folder)) {
    const std::string good = read_bytes(folder / name);
    for (size_t position = 0; position < good.size(); ++position) {
      std::string bad = good;
      bad[position] ^= static_cast<char>(1 << random.below(8));
      write_bytes(folder / name, bad);
      const auto error = error_of([&] { open_checkpoint(folder); });
      REQUIRE(error);
      REQUIRE(error->kind() == ErrorKind::kData);
      REQUIRE(std::string(error->what()).find(name) != std::string::npos);
    }
    for (size_t size = 0; size < good.size(); size += 16) {
      write_bytes(folder / name, good.substr(0, size));
      REQUIRE(fails_with(ErrorKind::kData, [&] { open_checkpoint(folder); }));
    }
    write_bytes(folder / name, good + "x");
    REQUIRE(fails_with(ErrorKind::kData, [&] { open_checkpoint(folder); }));
    write_bytes(folder / name, good);
  }
  CHECK(holds(open_checkpoint(folder), 2));
}

TEST_CASE("checkpoint: the message says which tensor is damaged") {
  TempFolder root;
  const fs::path folder = write_checkpoint(root.path(), make_contents(1));
  std::string bytes = read_bytes(folder / "model.safetensors");
  bytes.back() ^= 1;  // "half" has the smallest elements and lies last
  write_bytes(folder / "model.safetensors", bytes);
  const std::string message = error_of([&] { open_checkpoint(folder); })->what();
  CHECK(message.find("model.safetensors: damaged: tensor 'half'") != std::string::npos);
}

TEST_CASE(
    "checkpoint: the newest damaged, the previous one is used with a warning; all damaged is an error") {
  TempFolder root;
  CHECK_FALSE(latest_checkpoint(root.path()));
  CHECK_FALSE(latest_checkpoint(root / "absent"));
  for (const int64_t step : {1, 2, 3}) write_checkpoint(root.path(), make_contents(step));
  Warnings warnings;
  write_bytes(root / "step-0000000003/centers-00000-of-00001.safetensors", "");
  CHECK(latest_checkpoint(root.path())->step() == 2);
  REQUIRE(warnings.lines.size() == 1);
  CHECK(warnings.lines[0].find("step-0000000003") != std::string::npos);
  fs::remove(root / "step-0000000002/config.yaml");
  CHECK(latest_checkpoint(root.path())->step() == 1);
  fs::remove(root / "step-0000000001/manifest.json");
  CHECK(fails_with(ErrorKind::kData, [&] { latest_checkpoint(root.path()); }));
}

TEST_CASE("checkpoint: a damaged or dangling `latest` leads to the newest checkpoint") {
  TempFolder root;
  for (const int64_t step : {10, 30}) write_checkpoint(root.path(), make_contents(step));
  write_checkpoint(root.path(), make_contents(20));
  CHECK(latest_checkpoint(root.path())->step() == 20);  // 30 belongs to an abandoned run
  const std::string good = read_bytes(root / "latest");
  for (size_t position = 0; position < good.size(); ++position) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[position] ^= static_cast<char>(1 << bit);
      write_bytes(root / "latest", bad);
      Warnings warnings;
      REQUIRE(latest_checkpoint(root.path())->step() == 30);
      REQUIRE(warnings.lines.size() == 1);
    }
  }
  write_bytes(root / "latest", good);
  fs::remove_all(root / "step-0000000020");
  CHECK(latest_checkpoint(root.path())->step() == 10);
  fs::remove(root / "latest");
  CHECK(latest_checkpoint(root.path())->step() == 30);
}

TEST_CASE("checkpoint: links out of the folder and foreign manifests are refused") {
  TempFolder root;
  const fs::path folder = write_checkpoint(root.path(), make_contents(1));
  fs::rename(folder / "model.safetensors", root / "outside");
  fs::create_symlink(root / "outside", folder / "model.safetensors");
  CHECK(fails_with(ErrorKind::kData, [&] { open_checkpoint(folder); }));
  CHECK(fails_with(ErrorKind::kMissingInput, [&] { open_checkpoint(root / "absent"); }));
}

TEST_CASE("checkpoint: manifests with a correct checksum but wrong content are refused") {
  TempFolder root;
  write_as_ranks(root.path(), 1, 7, 2);
  const fs::path folder = root / "step-0000000001";
  const fs::path path = folder / "manifest.json";
  const Json good = checkpoint_layout::unseal(read_bytes(path), path);
  const std::string first = "centers-00000-of-00002.safetensors",
                    second = "centers-00001-of-00002.safetensors";
  const auto refused = [&](const std::function<void(Json&)>& change) {
    Json changed = good;
    change(changed);
    write_bytes(path, checkpoint_layout::seal(changed));
    const auto error = error_of([&] { open_checkpoint(folder); });
    return error && error->kind() == ErrorKind::kData;
  };
  CHECK_FALSE(refused([](Json&) {}));
  for (const auto& [key, value] : good.items()) {
    INFO(key);
    CHECK(refused([&](Json& json) { json.erase(key); }));
    const bool any_json = key == "model" || key == "train_state";
    if (!any_json) CHECK(refused([&](Json& json) { json[key] = nullptr; }));
  }
  CHECK(refused([](Json& json) { json["version"] = 2; }));
  CHECK(refused([](Json& json) { json["format"] = "other"; }));
  CHECK(refused([](Json& json) { json["step"] = -1; }));
  CHECK(refused([](Json& json) { json["num_classes"] = 8; }));
  CHECK(refused([](Json& json) { json["num_ranks"] = 0; }));
  CHECK(refused([](Json& json) { json["num_ranks"] = 1; }));
  CHECK(refused([](Json& json) { json["num_ranks"] = int64_t{1} << 60; }));
  CHECK(refused([&](Json& json) { json["files"].erase(second); }));
  CHECK(refused([&](Json& json) { json["files"][second] = 1; }));
  CHECK(refused([&](Json& json) { json["files"][second].erase("checksum"); }));
  CHECK(refused([&](Json& json) { json["files"][second].erase("rows"); }));
  CHECK(refused([&](Json& json) { json["files"][second]["rows"] = {4}; }));
  CHECK(refused([&](Json& json) { json["files"][second]["rows"] = {3, 7}; }));
  CHECK(refused([&](Json& json) { json["files"][second]["rows"] = {5, 7}; }));
  CHECK(refused([&](Json& json) { json["files"][second]["rows"] = {4, 3}; }));
  CHECK(refused([&](Json& json) {
    json["files"][first]["rows"] = {0, 3};
    json["files"][second]["rows"] = {3, 7};
  }));
  CHECK(refused([](Json& json) {
    for (int i = 0; i < 100; ++i) json["train_state"] = Json{{"deeper", json["train_state"]}};
  }));
  write_bytes(path, "");
  CHECK(fails_with(ErrorKind::kData, [&] { open_checkpoint(folder); }));
}

TEST_CASE("checkpoint: shards that do not belong together are refused") {
  TempFolder root;
  write_as_ranks(root.path(), 1, 7, 2);
  const fs::path folder = root / "step-0000000001";
  const fs::path path = folder / "manifest.json";
  // Replaces the second shard's centers and corrects the manifest.
  const auto refused = [&](const NamedTensors& tensors) {
    const std::string name = "centers-00001-of-00002.safetensors";
    const WrittenFile written = write_tensors(folder / name, tensors, {});
    Json json = checkpoint_layout::unseal(read_bytes(path), path);
    json["files"][name]["bytes"] = written.bytes;
    json["files"][name]["checksum"] = checksum_hex(written.checksum);
    write_bytes(path, checkpoint_layout::seal(json));
    return fails_with(ErrorKind::kData, [&] { open_checkpoint(folder); });
  };
  CHECK_FALSE(refused({{"centers", at::zeros({3, 3})}}));
  CHECK(refused({{"centers", at::zeros({3, 4})}}));
  CHECK(refused({{"centers", at::zeros({4, 3})}}));
  CHECK(refused({{"centers", at::zeros({3, 3}, at::kDouble)}}));
  CHECK(refused({{"centers", at::zeros({3, 3, 1})}}));
  CHECK(refused({{"centers", at::zeros({})}}));
  CHECK(refused({{"other", at::zeros({3, 3})}}));
  CHECK(refused({{"centers", at::zeros({3, 3})}, {"other", at::zeros({3, 3})}}));
  CHECK(refused({}));
}
