#include "uir/dist/rendezvous.h"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "uir/base/error.h"
#include "uir/dist/compat.h"
#include "uir/dist/process_group.h"
#include "uir/ranks/meeting_folder.h"

namespace uir {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Store = c10::intrusive_ptr<c10d::Store>;

constexpr const char* kLoopback = "127.0.0.1";
constexpr uint16_t kDefaultPort = 29500;  // PyTorch's
constexpr milliseconds kPoll{20};
constexpr const char* kAllHere = "all_here";

std::string value_of(const Environment& environment, const char* name, const char* otherwise = "") {
  const char* value = environment(name);
  return value ? value : otherwise;
}

[[noreturn]] void did_not_meet(const World& world, milliseconds timeout, const std::string& place,
                               const std::string& why) {
  fail(ErrorKind::kRankLost, "rank ", world.rank, " of ", world.size, ": the ranks did not meet within ",
       timeout.count(), " ms at ", place, ": ", why, "; were all of them started?");
}

std::vector<std::string> here_keys(const World& world) {
  std::vector<std::string> keys;
  for (int64_t rank = 0; rank < world.size; ++rank) keys.push_back(concat("here/", rank));
  return keys;
}

// "ranks 1, 3 are missing".
std::string missing_ranks(c10d::Store& store, const World& world) {
  std::string ranks;
  for (int64_t rank = 0; rank < world.size; ++rank) {
    if (!store.check({concat("here/", rank)})) ranks += concat(ranks.empty() ? "" : ", ", rank);
  }
  return "of the ranks are missing: " + ranks;
}

void say_here(c10d::Store& store, const World& world) { set_flag(store, concat("here/", world.rank)); }

// Returns when every rank has said that it is there. The process group alone would wait as long as for a
// collective.
void wait_for_all(c10d::Store& store, const World& world, milliseconds timeout, const std::string& place) {
  try {
    say_here(store, world);
    store.wait(here_keys(world), timeout);
  } catch (const std::exception& error) {
    std::string why = error.what();
    try {
      why = missing_ranks(store, world);
    } catch (const std::exception&) {  // the store is lost
    }
    did_not_meet(world, timeout, place, why);
  }
}

// ---- in a folder

std::shared_ptr<const Communicator> join(const World& world, const RankTimeouts& timeouts, const Store& store,
                                         const std::string& interface_address,
                                         std::shared_ptr<const MeetingFolder> folder = nullptr) {
  auto communicator = std::make_shared<ProcessGroupCommunicator>(
      store, world.rank, world.size, timeouts.meeting, interface_address, std::move(folder));
  communicator->set_timeout(timeouts.collective);
  return communicator;
}

struct FolderMeeting {
  explicit FolderMeeting(const std::filesystem::path& path, const World& world)
      : folder(std::make_shared<const MeetingFolder>(path, world.rank, world.size)),
        store(c10::make_intrusive<c10d::FileStore>(folder->store().string(), -1)) {}  // we remove the file

  std::shared_ptr<const MeetingFolder> folder;
  Store store;
};

std::shared_ptr<const Communicator> meet_in(const std::filesystem::path& path, const World& world,
                                            const RankTimeouts& timeouts) {
  const FolderMeeting meeting(path, world);
  wait_for_all(*meeting.store, world, timeouts.meeting, path.string());
  return join(world, timeouts, meeting.store, kLoopback, meeting.folder);
}

// What the ranks of a run on this machine, and no others, share. None: nothing that would tell runs apart.
std::optional<std::string> run_name(const Environment& environment) {
  for (const char* name : {"PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid"}) {
    if (environment(name)) return concat(name, ' ', environment(name));
  }
  if (environment("SLURM_JOB_ID") && environment("SLURM_STEP_ID"))
    return concat("Slurm ", environment("SLURM_JOB_ID"), '.', environment("SLURM_STEP_ID"));
  if (environment("PMI_RANK")) return concat("PMI ", ::getppid());  // all are children of Hydra's proxy
  return std::nullopt;
}

// Rank 0 creates the folder and says so in a notice. It withdraws the notice before it lets anyone go on: a
// program that the same job starts afterwards cannot find it. One left by a job that was killed is replaced,
// and whoever followed it meanwhile follows the new one.
std::shared_ptr<const Communicator> invite(const MeetingNotice& notice, const World& world,
                                           const RankTimeouts& timeouts) {
  const std::filesystem::path path = create_meeting_folder();
  const FolderMeeting meeting(path, world);
  notice.publish(path);
  try {
    wait_for_all(*meeting.store, world, timeouts.meeting, path.string());
  } catch (...) {
    notice.withdraw();
    throw;
  }
  notice.withdraw();
  set_flag(*meeting.store, kAllHere);
  return join(world, timeouts, meeting.store, kLoopback, meeting.folder);
}

std::shared_ptr<const Communicator> follow(const MeetingNotice& notice, const World& world,
                                           const RankTimeouts& timeouts) {
  const Clock::time_point deadline = Clock::now() + timeouts.meeting;
  std::optional<FolderMeeting> meeting;
  std::filesystem::path joined;
  while (!meeting || !meeting->store->check({kAllHere})) {
    if (Clock::now() > deadline) {
      did_not_meet(world, timeouts.meeting, joined.empty() ? "a folder of rank 0" : joined.string(),
                   meeting
                       ? missing_ranks(*meeting->store, world)
                       : "rank 0 has not created it, or it runs where this rank cannot see its folder; then "
                         "set MASTER_ADDR and MASTER_PORT");
    }
    const std::optional<std::filesystem::path> invited = notice.read();
    if (invited && *invited != joined && std::filesystem::exists(*invited)) {
      meeting.reset();
      joined = *invited;
      say_here(*meeting.emplace(joined, world).store, world);
    }
    std::this_thread::sleep_for(kPoll);
  }
  return join(world, timeouts, meeting->store, kLoopback, meeting->folder);
}

std::shared_ptr<const Communicator> meet_on_this_machine(const World& world, const RankTimeouts& timeouts,
                                                         const Environment& environment) {
  if (const char* folder = environment(kMeetingVariable)) return meet_in(folder, world, timeouts);
  const std::optional<std::string> name = run_name(environment);
  if (!world.on_one_machine() || !name) {
    fail(ErrorKind::kUsage,
         "environment: ", name ? "the ranks are on several machines" : "nothing tells this run from others",
         ", and MASTER_ADDR is ",
         "not set; set MASTER_ADDR (the host name of rank 0) and MASTER_PORT for every rank");
  }
  const MeetingNotice notice(*name);
  return world.rank == 0 ? invite(notice, world, timeouts) : follow(notice, world, timeouts);
}

// ---- at an address

uint16_t port_of(const std::string& text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    fail(ErrorKind::kUsage, "environment: MASTER_PORT='", text, "' is not a port in [1, 65535]");
  }
  return port;
}

bool is_loopback(std::string_view host) { return host == "localhost" || host.starts_with("127."); }

std::shared_ptr<const Communicator> meet_at_address(const std::string& host, const World& world,
                                                    const RankTimeouts& timeouts,
                                                    const Environment& environment) {
  const std::string port_text = value_of(environment, "MASTER_PORT");
  const uint16_t port = port_text.empty() ? kDefaultPort : port_of(port_text);
  const bool agent_has_store = value_of(environment, "TORCHELASTIC_USE_AGENT_STORE") == "True";
  const bool is_server = world.rank == 0 && !agent_has_store;
  const std::string place = concat("the meeting point ", host, ":", port);
  Store store;
  try {
    store = make_tcp_store(host, port, is_server, timeouts.meeting);
  } catch (const std::exception& error) {
    fail(ErrorKind::kRankLost, "rank ", world.rank, " of ", world.size, ": cannot ",
         is_server ? "open " : "reach ", place, ": ", error.what(),
         "; is another run using the port (set MASTER_PORT), or is rank 0 not running?");
  }
  // The prefix keeps a restarted run apart from the one before it.
  store = c10::make_intrusive<c10d::PrefixStore>(
      concat("uir/attempt_", value_of(environment, "TORCHELASTIC_RESTART_COUNT", "0")), store);
  wait_for_all(*store, world, timeouts.meeting, place);
  return join(world, timeouts, store, is_loopback(host) ? kLoopback : "");
}

}  // namespace

std::shared_ptr<const Communicator> connect(const World& world, const RankTimeouts& timeouts,
                                            const Environment& environment) {
  if (world.size == 1) return std::make_shared<Communicator>();
  const std::string host = value_of(environment, "MASTER_ADDR");
  if (host.empty() || environment(kMeetingVariable))
    return meet_on_this_machine(world, timeouts, environment);
  return meet_at_address(host, world, timeouts, environment);
}

}  // namespace uir
