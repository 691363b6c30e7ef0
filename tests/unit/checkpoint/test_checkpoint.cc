#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "uir/base/log.h"
#include "uir/base/random.h"
#include "uir/checkpoint/checkpoint.h"
#include "uir/checkpoint/layout.h"
#include "uir/checkpoint/weights.h"

using namespace uir;

namespace {

bool same(const at::Tensor& a, const at::Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() &&
         (a.numel() == 0 ||
          std::memcmp(a.contiguous().data_ptr(), b.contiguous().data_ptr(), a.nbytes()) == 0);
}

bool same(const NamedTensors& a, const NamedTensors& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && same(x.second, y.second);
  });
}

// Values that name their step and row.
at::Tensor center_rows(int64_t step, RowRange rows, int64_t dim) {
  const at::Tensor row = at::arange(rows.begin, rows.end, at::kFloat).unsqueeze(1);
  return row * 100 + at::arange(dim, at::kFloat) + static_cast<double>(step) / 1024;
}

RowRange shard(int64_t num_classes, int64_t rank, int64_t ranks) {
  const int64_t base = num_classes / ranks, more = num_classes % ranks;
  const int64_t begin = rank * base + std::min(rank, more);
  return {begin, begin + base + (rank < more)};
}

// Everything a checkpoint can hold, as a function of the step.
CheckpointContents make_contents(int64_t step, int64_t num_classes = 5, int64_t rank = 0, int64_t ranks = 1) {
  CheckpointContents c;
  c.step = step;
  c.model = {
      {"conv.weight",
       (at::arange(24, at::kFloat) + step).view({2, 3, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast)},
      {"bn.num_batches_tracked", at::scalar_tensor(step, at::kLong)},
      {"half", at::arange(3, at::kHalf)}};
  c.optimizer = {{"momentum/conv.weight", at::arange(24, at::kFloat) * step},
                 {"step", at::scalar_tensor(step, at::kLong)}};
  c.state = {{"margin", at::tensor({20.0, 1.5}, at::kDouble)}};
  c.num_classes = num_classes;
  c.rows = shard(num_classes, rank, ranks);
  c.centers = center_rows(step, c.rows, 3);
  c.centers_optimizer = {{"mean/centers", center_rows(step, c.rows, 3) * 2},
                         {"square/centers", center_rows(step, c.rows, 1)}};
  c.model_config = {{"type", "iresnet"}, {"depth", 18}};
  c.train_state = {{"position", step * 96}, {"loss", 0.1}};
  c.config = concat("train:\n  seed: ", step, "\n");
  c.data_fingerprint = "d1";
  c.classes_fingerprint = "c1";
  c.threads = 2;
  return c;
}

bool holds(const Checkpoint& checkpoint, int64_t step) {
  const CheckpointContents c = make_contents(step);
  return checkpoint.step() == step && same(checkpoint.model(), c.model) &&
         same(checkpoint.optimizer(), c.optimizer) && same(checkpoint.state(), c.state) &&
         same(checkpoint.read_centers({0, 5}), c.centers) &&
         same(checkpoint.read_centers_optimizer({0, 5}), c.centers_optimizer) &&
         checkpoint.config() == c.config && checkpoint.train_state() == c.train_state;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

bool has_leftovers(const fs::path& root) {
  const auto names = names_in(root);
  return std::any_of(names.begin(), names.end(),
                     [](const auto& name) { return name.find(".tmp-") != std::string::npos; });
}

// Runs write_checkpoint on `ranks` threads that sum through memory.
void write_as_ranks(
    const fs::path& root, int64_t step, int64_t num_classes, int64_t ranks,
    const std::function<void(int64_t)>& before = [](int64_t) {}) {
  std::vector<std::atomic<int64_t>> slots(ranks);
  std::barrier barrier(ranks);
  std::vector<std::exception_ptr> errors(ranks);
  std::vector<std::thread> threads;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      const auto sum = [&, rank](int64_t value) {
        slots[rank] = value;
        barrier.arrive_and_wait();
        int64_t total = 0;
        for (const auto& slot : slots) total += slot;
        barrier.arrive_and_wait();
        return total;
      };
      try {
        before(rank);
        write_checkpoint(root, make_contents(step, num_classes, rank, ranks), {rank, ranks, sum});
      } catch (...) {
        errors[rank] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

// Collects warnings while it lives.
class Warnings {
 public:
  Warnings()
      : previous_(set_log_sink([this](LogLevel level, std::string_view text) {
          if (level == LogLevel::kWarning) lines.emplace_back(text);
        })) {}
  ~Warnings() { set_log_sink(previous_); }
  std::vector<std::string> lines;

 private:
  LogSink previous_;
};

std::atomic<int> failpoints_left{0};

struct FailpointGuard {
  explicit FailpointGuard(int count, FailpointHandler handler) {
    failpoints_left = count;
    set_failpoint_handler(handler);
  }
  ~FailpointGuard() { set_failpoint_handler(nullptr); }
};

void fail_when_due(std::string_view name) {
  if (failpoints_left-- == 0) fail(ErrorKind::kIo, "injected at ", name);
}

void die_when_due(std::string_view) {
  if (failpoints_left-- == 0) ::_exit(99);
}

// The exit code of the action in a child process: 0, or the error's.
template <class Action>
int exit_code_of(Action&& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto error = error_of(action);
    ::_exit(error ? error->exit_code() : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

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
  CHECK(fails_with(ErrorKind::kMissingInput, [&] { read_weights(root.path()); }));
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
