#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <thread>

#include "uir/base/error.h"
#include "uir/dist/compat.h"
#include "uir/dist/rendezvous.h"
#include "uir/ranks/meeting_folder.h"
// after the torch headers
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"

namespace {

namespace fs = std::filesystem;
using Variables = std::map<std::string, std::string>;
using uir::Communicator;
using uir::ErrorKind;
using uir::World;

// A port of the loopback interface, bound as long as this lives.
class TakenPort {
 public:
  TakenPort() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool bound = ::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(fd_, 1) == 0;
    if (bound && ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      number_ = ntohs(address.sin_port);
    }
  }
  ~TakenPort() { ::close(fd_); }
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;
  std::string number() const { return std::to_string(number_); }

 private:
  int fd_;
  int number_ = 0;
};

std::string free_port() { return TakenPort().number(); }

class FakeEnvironment {
 public:
  explicit FakeEnvironment(Variables values) : values_(std::move(values)) {}
  const char* operator()(const char* name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? nullptr : found->second.c_str();
  }

 private:
  Variables values_;
};

World world_of(int64_t rank, int64_t size) {
  World world;
  world.rank = world.local_rank = rank;
  world.size = world.local_size = size;
  return world;
}

// All ranks meet in the same environment, each in its thread, and sum their numbers. Rethrows the first
// error.
void check_sum(int64_t size, const Variables& variables) {
  std::vector<int64_t> sums(static_cast<size_t>(size));
  std::vector<std::exception_ptr> errors(sums.size());
  // Nobody hangs up before all have finished: a TCP store ends with rank 0.
  std::vector<std::shared_ptr<const Communicator>> communicators(sums.size());
  std::vector<std::thread> ranks;
  for (size_t rank = 0; rank < sums.size(); ++rank) {
    ranks.emplace_back([&, rank] {
      try {
        communicators[rank] =
            uir::connect(world_of(static_cast<int64_t>(rank), size),
                         {std::chrono::seconds(10), std::chrono::seconds(10)}, FakeEnvironment(variables));
        sums[rank] = communicators[rank]->sum(static_cast<int64_t>(rank) + 1);
      } catch (...) {
        errors[rank] = std::current_exception();
      }
    });
  }
  for (std::thread& rank : ranks) rank.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  CHECK(sums == std::vector<int64_t>(sums.size(), size * (size + 1) / 2));
}

// A temporary folder for what the library puts below TMPDIR, for as long as this lives.
class OwnTmpdir {
 public:
  OwnTmpdir() { ::setenv("TMPDIR", folder_.path().c_str(), 1); }
  ~OwnTmpdir() { old_.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", old_.c_str(), 1); }
  OwnTmpdir(const OwnTmpdir&) = delete;
  OwnTmpdir& operator=(const OwnTmpdir&) = delete;
  fs::path users() const { return folder_ / uir::concat("uir-", ::geteuid()); }
  int64_t entries() const { return std::distance(fs::directory_iterator(users()), fs::directory_iterator()); }

 private:
  TempFolder folder_;
  std::string old_ = std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "";
};

}  // namespace

TEST_CASE("a world of one meets nobody") {
  CHECK(uir::connect(world_of(0, 1), {}, FakeEnvironment({}))->size() == 1);
}

TEST_CASE("ranks meet at MASTER_ADDR and sum") {
  check_sum(3, {{"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", free_port()}});
}

TEST_CASE("ranks of one machine meet in the launcher's folder, and nothing is left") {
  const OwnTmpdir tmpdir;
  const fs::path folder = uir::create_meeting_folder();
  CHECK((fs::status(folder).permissions() & fs::perms::mask) == fs::perms::owner_all);
  CHECK((fs::status(tmpdir.users()).permissions() & fs::perms::mask) == fs::perms::owner_all);
  check_sum(3, {{"UIR_MEETING", folder.string()}, {"MASTER_ADDR", "of.another.launcher"}});
  CHECK(tmpdir.entries() == 0);
}

TEST_CASE("ranks of one machine meet by the job's id, also where an earlier run of that id was killed") {
  struct Job {
    Variables variables;
    std::string name;
  };
  const std::vector<Job> jobs{
      {{{"OMPI_MCA_ess_base_jobid", "271253505"}}, "OMPI_MCA_ess_base_jobid 271253505"},
      {{{"SLURM_JOB_ID", "7"}, {"SLURM_STEP_ID", "0"}}, "Slurm 7.0"},
      {{{"PMI_RANK", "0"}}, uir::concat("PMI ", ::getppid())}};
  const OwnTmpdir tmpdir;
  for (const auto& [variables, name] : jobs) {
    check_sum(3, variables);
    check_sum(2, variables);
    CHECK(tmpdir.entries() == 0);

    // A meeting that was killed: its notice, and its folder with a rank that was there.
    const fs::path stale = uir::create_meeting_folder();
    uir::MeetingNotice(name).publish(stale);
    c10::make_intrusive<c10d::FileStore>((stale / "store").string(), -1)
        ->set("here/0", std::vector<uint8_t>{1});
    check_sum(3, variables);
    CHECK(!uir::MeetingNotice(name).read());
    fs::remove_all(stale);
  }
}

TEST_CASE("a meeting folder that others could enter, a rank that is started twice") {
  const OwnTmpdir tmpdir;
  const fs::path folder = uir::create_meeting_folder();
  const uir::MeetingFolder first(folder, 0, 2);
  CHECK_THAT(error_of([&] { uir::MeetingFolder(folder, 0, 2); })->what(),
             contains_text("another process is rank 0"));
  CHECK(!first.has_ended(0));
  CHECK(first.has_ended(1));
  fs::permissions(tmpdir.users(), fs::perms::group_read, fs::perm_options::add);
  CHECK(kind_of([] { uir::create_meeting_folder(); }) == ErrorKind::kUsage);
  fs::permissions(tmpdir.users(), fs::perms::owner_all);
  fs::rename(tmpdir.users(), tmpdir.users().string() + ".moved");
  fs::create_directory_symlink(tmpdir.users().string() + ".moved", tmpdir.users());
  CHECK(kind_of([] { uir::create_meeting_folder(); }) == ErrorKind::kUsage);
}

TEST_CASE("ranks that nothing brings together") {
  const auto by_hand = error_of([] { uir::connect(world_of(0, 2), {}, FakeEnvironment({})); });
  REQUIRE(by_hand);
  CHECK(by_hand->kind() == ErrorKind::kUsage);
  CHECK_THAT(by_hand->what(), contains_text("set MASTER_ADDR"));
  World world = world_of(0, 2);
  world.local_size = 1;
  const auto machines = error_of([&] {
    uir::connect(world, {}, FakeEnvironment(Variables{{"PMIX_NAMESPACE", "a"}}));
  });
  REQUIRE(machines);
  CHECK(machines->kind() == ErrorKind::kUsage);
  CHECK_THAT(machines->what(), contains_text("several machines, and MASTER_ADDR is not set"));
}

TEST_CASE("a rank that never comes is named") {
  const OwnTmpdir tmpdir;
  const uir::RankTimeouts timeouts{std::chrono::milliseconds(300), std::chrono::hours(1)};
  const auto in_folder = error_of([&] {
    uir::connect(world_of(0, 3), timeouts,
                 FakeEnvironment(Variables{{"UIR_MEETING", uir::create_meeting_folder().string()}}));
  });
  REQUIRE(in_folder);
  CHECK(in_folder->kind() == ErrorKind::kRankLost);
  CHECK_THAT(in_folder->what(), contains_text("rank 0 of 3: the ranks did not meet within 300 ms") &&
                                    contains_text("missing: 1, 2"));
  const FakeEnvironment job(Variables{{"PMIX_NAMESPACE", "job"}});
  CHECK_THAT(error_of([&] { uir::connect(world_of(0, 2), timeouts, job); })->what(),
             contains_text("missing: 1"));
  CHECK_THAT(error_of([&] { uir::connect(world_of(1, 2), timeouts, job); })->what(),
             contains_text("rank 0 has not created it"));
  CHECK(tmpdir.entries() == 0);
}

TEST_CASE("a port that another program holds, a rank that never comes, a port that is none") {
  const auto error_with = [](const std::string& port, int64_t rank) {
    return error_of([&] {
      uir::connect(world_of(rank, 2), {std::chrono::seconds(1), std::chrono::hours(1)},
                   FakeEnvironment({{"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", port}}));
    });
  };
  const TakenPort taken;
  const auto in_use = error_with(taken.number(), 0);
  REQUIRE(in_use);
  CHECK(in_use->kind() == ErrorKind::kRankLost);
  CHECK_THAT(in_use->what(),
             contains_text("rank 0 of 2: cannot open the meeting point 127.0.0.1:" + taken.number()));

  const auto alone = error_with(free_port(), 0);
  REQUIRE(alone);
  CHECK(alone->kind() == ErrorKind::kRankLost);
  CHECK_THAT(alone->what(), contains_text("rank 0 of 2: the ranks did not meet within 1000 ms") &&
                                contains_text("missing: 1"));

  const auto no_master = error_with(free_port(), 1);
  REQUIRE(no_master);
  CHECK(no_master->kind() == ErrorKind::kRankLost);
  CHECK_THAT(no_master->what(), contains_text("rank 1 of 2: cannot reach the meeting point"));

  const auto no_port = error_with("70000", 0);
  REQUIRE(no_port);
  CHECK(no_port->kind() == ErrorKind::kUsage);
}
