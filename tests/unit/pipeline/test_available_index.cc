#include <ATen/core/Tensor.h>  // before Catch

#include "uir/pipeline/available_index.h"

#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "support/catch.h"
#include "support/errors.h"
#include "support/ranks.h"
#include "support/temp_folder.h"
#include "uir/base/error.h"
#include "uir/base/log.h"

using namespace uir;

namespace {

Experiment experiment_in(const TempFolder& folder, const std::string& source) {
  return parse_experiment(
      "paths: {run: run}\ndata: {sources: [{name: people, role: labeled, " + source + "}]}\n", "e.yaml",
      folder.path(), {});
}

// In its scope every line that is logged takes so long.
class SlowLog {
 public:
  explicit SlowLog(std::chrono::milliseconds pause)
      : old_(set_log_sink([pause](LogLevel, std::string_view) { std::this_thread::sleep_for(pause); })) {}
  ~SlowLog() { set_log_sink(old_); }

 private:
  LogSink old_;
};

}  // namespace

TEST_CASE("one rank builds the index that is not there, and the others wait for longer than a time-out") {
  const TempFolder folder;
  const Experiment experiment =
      experiment_in(folder, "type: synthetic, identities: 4, images_per_identity: 2");
  const SlowLog slow(std::chrono::milliseconds(300));  // six lines and more
  std::mutex mutex;
  std::multiset<std::string> fingerprints;
  const auto all = [&](bool built) {
    run_ranks(
        3,
        [&](const std::shared_ptr<const Communicator>& ranks) {
          const AvailableIndex available = available_index(experiment, *ranks);
          const std::lock_guard lock(mutex);
          CHECK(available.built == built);
          fingerprints.insert(available.index.fingerprint());
        },
        std::chrono::seconds(1));
  };
  all(true);
  all(false);
  CHECK(fingerprints.count(Index::open(experiment.index_folder()).fingerprint()) == 6);
}

TEST_CASE("what cannot be indexed ends all ranks with the same error, and leaves nothing") {
  const TempFolder folder;
  const Experiment experiment = experiment_in(folder, "type: folder, root: nowhere");
  std::mutex mutex;
  std::multiset<std::string> messages;
  run_ranks(3, [&](const std::shared_ptr<const Communicator>& ranks) {
    const auto error = error_of([&] { available_index(experiment, *ranks); });
    const std::lock_guard lock(mutex);
    if (error && error->kind() == ErrorKind::kMissingInput) messages.insert(error->what());
  });
  CHECK(messages.size() == 3);
  CHECK(std::set(messages.begin(), messages.end()).size() == 1);
  CHECK_FALSE(fs::exists(experiment.index_folder()));
}
