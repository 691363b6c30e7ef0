#include "uir/dist/rendezvous.h"

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/error.h"
#include "uir/dist/compat.h"
#include "uir/dist/process_group.h"

namespace uir {
namespace {

constexpr const char* kLoopback = "127.0.0.1";
constexpr uint16_t kDefaultPort = 29500;  // PyTorch's

struct Meeting {
  std::string host;
  uint16_t port;
  bool is_server;
  std::string prefix;  // keeps a restarted run apart from the one before it
};

std::string value_of(const Environment& environment, const char* name, const char* otherwise) {
  const char* value = environment(name);
  return value ? value : otherwise;
}

uint16_t port_of(const std::string& text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    fail(ErrorKind::kUsage, "environment: MASTER_PORT='", text, "' is not a port in [1, 65535]");
  }
  return port;
}

Meeting meeting_of(const World& world, const Environment& environment) {
  const bool agent_has_store = value_of(environment, "TORCHELASTIC_USE_AGENT_STORE", "") == "True";
  const std::string port = value_of(environment, "MASTER_PORT", "");
  return {value_of(environment, "MASTER_ADDR", kLoopback), port.empty() ? kDefaultPort : port_of(port),
          world.rank == 0 && !agent_has_store,
          concat("uir/attempt_", value_of(environment, "TORCHELASTIC_RESTART_COUNT", "0"))};
}

// Returns when every rank has said that it is there. The process group alone would wait as long as for a collective.
void wait_for_all(c10d::Store& store, const World& world, std::chrono::milliseconds timeout) {
  std::vector<std::string> keys;
  for (int64_t rank = 0; rank < world.size; ++rank) keys.push_back(concat("here/", rank));
  try {
    store.set(keys[static_cast<size_t>(world.rank)], std::vector<uint8_t>{1});
    store.wait(keys, timeout);
  } catch (const std::exception& error) {
    fail(ErrorKind::kRankLost, "rank ", world.rank, " of ", world.size, ": the ranks did not meet within ",
         timeout.count(), " ms: ", error.what(), "; were all of them started?");
  }
}

bool is_loopback(std::string_view host) { return host == "localhost" || host.starts_with("127."); }

}  // namespace

std::shared_ptr<const Communicator> connect(const World& world, const RankTimeouts& timeouts,
                                            const Environment& environment) {
  if (world.size == 1) return std::make_shared<Communicator>();
  const Meeting meeting = meeting_of(world, environment);
  c10::intrusive_ptr<c10d::Store> store;
  try {
    store = make_tcp_store(meeting.host, meeting.port, meeting.is_server, timeouts.meeting);
  } catch (const std::exception& error) {
    fail(ErrorKind::kRankLost, "rank ", world.rank, " of ", world.size, ": cannot ",
         meeting.is_server ? "open" : "reach", " the meeting point ", meeting.host, ":", meeting.port, ": ",
         error.what(), "; is another run using the port (set MASTER_PORT), or is rank 0 not running?");
  }
  store = c10::make_intrusive<c10d::PrefixStore>(meeting.prefix, store);
  wait_for_all(*store, world, timeouts.meeting);
  return std::make_shared<ProcessGroupCommunicator>(store, world.rank, world.size, timeouts.collective,
                                                    is_loopback(meeting.host) ? kLoopback : "");
}

}  // namespace uir
