#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <exception>
#include <map>
#include <thread>

#include "uir/base/error.h"
#include "uir/dist/rendezvous.h"
// after the torch headers
#include "support/catch.h"
#include "support/errors.h"

namespace {

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
  explicit FakeEnvironment(std::map<std::string, std::string> values) : values_(std::move(values)) {}
  const char* operator()(const char* name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? nullptr : found->second.c_str();
  }

 private:
  std::map<std::string, std::string> values_;
};

World world_of(int64_t rank, int64_t size) {
  World world;
  world.rank = world.local_rank = rank;
  world.size = size;
  return world;
}

}  // namespace

TEST_CASE("a world of one meets nobody") {
  CHECK(uir::connect(world_of(0, 1), {}, FakeEnvironment({}))->size() == 1);
}

TEST_CASE("ranks meet at the launcher's address and sum") {
  const FakeEnvironment environment({{"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", free_port()}});
  std::vector<double> sums(3, 0);
  std::vector<std::exception_ptr> errors(3);
  // Nobody hangs up before all have finished: the store ends with rank 0.
  std::vector<std::shared_ptr<const Communicator>> communicators(3);
  std::vector<std::thread> ranks;
  for (int64_t rank = 0; rank < 3; ++rank) {
    ranks.emplace_back([&, rank] {
      try {
        communicators[rank] = uir::connect(world_of(rank, 3), {}, environment);
        at::Tensor value = at::full({1}, static_cast<double>(rank + 1), at::kDouble);
        communicators[rank]->all_reduce_sum(value);
        sums[rank] = value.item<double>();
      } catch (...) {
        errors[rank] = std::current_exception();
      }
    });
  }
  for (std::thread& rank : ranks) rank.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  CHECK(sums == std::vector<double>{6, 6, 6});
}

TEST_CASE("a port that another program holds, a rank that never comes, a port that is none") {
  const auto error_with = [](const std::string& port, int64_t rank) {
    return error_of([&] {
      uir::connect(world_of(rank, 2), {std::chrono::seconds(2), std::chrono::hours(1)},
                   FakeEnvironment({{"MASTER_PORT", port}}));
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
  CHECK_THAT(alone->what(), contains_text("rank 0 of 2: the ranks did not meet within 2000 ms"));

  const auto no_master = error_with(free_port(), 1);
  REQUIRE(no_master);
  CHECK(no_master->kind() == ErrorKind::kRankLost);
  CHECK_THAT(no_master->what(), contains_text("rank 1 of 2: cannot reach the meeting point"));

  const auto no_port = error_with("70000", 0);
  REQUIRE(no_port);
  CHECK(no_port->kind() == ErrorKind::kUsage);
}
