#include "uir/dist/process_group.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sum.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/dist/compat.h"
#include "uir/dist/nccl.h"
#include "uir/dist/rank_roll.h"
#include "uir/dist/rank_watch.h"
#include "uir/dist/work_limit.h"
#include "uir/ranks/meeting_folder.h"

namespace uir {
namespace {

std::vector<int64_t> with_rows(const at::Tensor& tensor, int64_t rows) {
  std::vector<int64_t> sizes = tensor.sizes().vec();
  sizes[0] = rows;
  return sizes;
}

constexpr std::chrono::milliseconds kRollCall{2500};
constexpr std::chrono::milliseconds kNoteLimit{1000};
// How long the rank whose end takes the store away waits for the others: those that fail with it, and those
// that have yet to learn of its own failure.
constexpr std::chrono::milliseconds kLinger{1500}, kFailureLinger{5000};

c10::intrusive_ptr<GlooGroup> meet(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank, int64_t size,
                                   std::chrono::milliseconds timeout, const std::string& address) {
  auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  options->devices.push_back(address.empty() ? c10d::ProcessGroupGloo::createDefaultDevice()
                                             : c10d::ProcessGroupGloo::createDeviceForHostname(address));
  store->setTimeout(timeout);
  return c10::make_intrusive<GlooGroup>(store, static_cast<int>(rank), static_cast<int>(size), options);
}

}  // namespace

// A communicator's connections to the other ranks.
struct CollectiveGroups {
  c10::intrusive_ptr<GlooGroup> gloo;
  c10::intrusive_ptr<CollectiveBackend> nccl;  // null: Gloo carries CUDA tensors too
  bool given_up = false;                       // nccl

  ~CollectiveGroups() {
    if (nccl && !given_up) leave_nccl("closing", close_nccl_group);
  }
  CollectiveBackend& of(const at::Tensor& tensor) const {
    if (nccl && tensor.is_cuda()) return *nccl;
    return *gloo;
  }
  void abort_nccl() {
    if (nccl && !std::exchange(given_up, true)) leave_nccl("aborting", abort_nccl_group);
  }
  // A device that has failed makes both throw. What went wrong before is what matters.
  void leave_nccl(const char* how, void (*leave)(CollectiveBackend&)) const {
    try {
      leave(*nccl);
    } catch (const std::exception& error) {
      log_warning(how, " NCCL's connections: ", error.what());
    }
  }
};

// What all groups of the same ranks share: when one fails, all are given up.
struct RankConnections {
  RankConnections(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank, int64_t size,
                  std::shared_ptr<const MeetingFolder> meeting_folder)
      : folder(std::move(meeting_folder)), roll(store, rank, size, folder) {}

  void hang_up() {
    std::lock_guard lock(mutex);
    lost = true;
    if (watch) watch->give_up();
    for (const auto& group : groups) group->gloo->close_connections();  // first: others wait for these
    for (const auto& group : groups) group->abort_nccl();
  }

  // Groups may fail in several threads: one roll call answers all of them.
  std::string reason(std::chrono::milliseconds limit) {
    std::lock_guard lock(reason_mutex);
    if (!known_reason) known_reason = roll.reason(limit);
    return *known_reason;
  }

  const std::shared_ptr<const MeetingFolder> folder;  // left after the store in `roll` is closed
  const RankRoll roll;
  std::mutex mutex;  // of groups
  std::vector<std::shared_ptr<CollectiveGroups>> groups;
  std::atomic<bool> lost = false;
  std::mutex reason_mutex;
  std::optional<std::string> known_reason;
  std::unique_ptr<RankWatch> watch;  // these end before what they use
  std::unique_ptr<WorkLimit> work_limit;
};

ProcessGroupCommunicator::ProcessGroupCommunicator(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank,
                                                   int64_t size, std::chrono::milliseconds timeout,
                                                   const std::string& interface_address,
                                                   std::shared_ptr<const MeetingFolder> folder)
    : connections_(std::make_shared<RankConnections>(store, rank, size, std::move(folder))),
      store_(store),
      rank_(rank),
      size_(size),
      timeout_(timeout),
      interface_address_(interface_address) {
  open_groups();
}

ProcessGroupCommunicator::ProcessGroupCommunicator(const ProcessGroupCommunicator& other, bool nccl)
    : connections_(other.connections_),
      store_(c10::make_intrusive<c10d::PrefixStore>(concat("another/", other.num_others_++), other.store_)),
      rank_(other.rank_),
      size_(other.size_),
      timeout_(other.timeout_),
      interface_address_(other.interface_address_),
      nccl_(nccl) {
  open_groups();
}

void ProcessGroupCommunicator::open_groups() {
  groups_ = std::make_shared<CollectiveGroups>();
  try {
    groups_->gloo = meet(store_, rank_, size_, timeout_, interface_address_);
    if (nccl_) {
      const auto store = c10::make_intrusive<c10d::PrefixStore>("nccl", store_);
      groups_->nccl = make_nccl_group(store, rank_, size_, 2 * timeout_);  // the last resort: it aborts
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    if (groups_->gloo)
      fail(ErrorKind::kRankLost, "rank ", rank_, " of ", size_, ": NCCL does not start: ", error.what());
    fail(ErrorKind::kRankLost, "rank ", rank_, " of ", size_, ": the ranks did not meet within ",
         timeout_.count(), " ms: ", error.what(), "; were all of them started?");
  }
  std::lock_guard lock(connections_->mutex);
  connections_->groups.push_back(groups_);
}

ProcessGroupCommunicator::~ProcessGroupCommunicator() = default;

std::shared_ptr<const Communicator> ProcessGroupCommunicator::another() const {
  return std::shared_ptr<const Communicator>(new ProcessGroupCommunicator(*this, nccl_));
}

std::shared_ptr<const Communicator> ProcessGroupCommunicator::with_nccl(at::Device device) const {
  watch();
  std::shared_ptr<const Communicator> ranks(new ProcessGroupCommunicator(*this, /*nccl=*/true));
  at::Tensor one = at::ones({1}, at::TensorOptions(device));
  ranks->all_reduce_sum(one);
  return ranks;
}

void ProcessGroupCommunicator::watch() const {
  const ProcessGroupCommunicator group(*this, /*nccl=*/false);
  std::unique_ptr<RankWatch> watch;
  guarded("watching the ranks", [&] {
    watch = std::make_unique<RankWatch>(group.groups_->gloo,
                                        [connections = connections_.get()] { connections->hang_up(); });
  });
  std::lock_guard lock(connections_->mutex);
  ensure(!connections_->watch, "ranks are watched once");
  connections_->watch = std::move(watch);
  connections_->work_limit =
      std::make_unique<WorkLimit>(timeout_, [connections = connections_.get()] { connections->hang_up(); });
}

void ProcessGroupCommunicator::limit_work(std::function<bool()> ended) const {
  ensure(connections_->work_limit != nullptr, "a rank whose device's work is limited is watched");
  connections_->work_limit->queued(std::move(ended));
}

bool ProcessGroupCommunicator::lost() const { return connections_->lost; }

c10::intrusive_ptr<c10d::ProcessGroup> ProcessGroupCommunicator::process_group() const {
  return as_process_group(groups_->gloo, groups_->nccl);
}

void ProcessGroupCommunicator::set_timeout(std::chrono::milliseconds timeout) {
  timeout_ = timeout;
  groups_->gloo->set_timeout(timeout);
}

bool ProcessGroupCommunicator::keeps_store() const { return rank_ == 0 && !connections_->folder; }

template <class Call>
void ProcessGroupCommunicator::collective(const char* name, Call&& call) const {
  guarded(name, [&] {
    const c10::intrusive_ptr<c10d::Work> work = call();
    work->wait();
    if (nccl_) limit_work([work] { return work->isCompleted(); });
  });
}

void ProcessGroupCommunicator::guarded(const char* name, const std::function<void()>& call) const {
  try {
    call();
  } catch (const Error&) {
    throw;
  } catch (const c10::OutOfMemoryError&) {  // of this rank: announced like its other errors
    throw;
  } catch (const std::exception& error) {
    connections_->hang_up();
    const std::string reason = connections_->reason(std::min(kRollCall, timeout_));
    if (keeps_store()) connections_->roll.wait_for_others(kLinger);
    fail(ErrorKind::kRankLost, reason, " (", name, " of rank ", rank_, ", timeout ", timeout_.count(),
         " ms: ", error.what(), ")");
  }
}

bool ProcessGroupCommunicator::announce_failure(const std::string& message) const {
  if (connections_->lost) return true;
  const bool first = connections_->roll.announce(message, kNoteLimit);
  connections_->hang_up();
  if (keeps_store()) connections_->roll.wait_for_others(kFailureLinger);
  return first;
}

void ProcessGroupCommunicator::all_reduce_sum(at::Tensor& tensor) const {
  std::vector<at::Tensor> tensors{tensor};
  collective("all-reduce", [&] { return groups_->of(tensor).allreduce(tensors); });
}

at::Tensor ProcessGroupCommunicator::all_gather_rows(const at::Tensor& rows) const {
  at::Tensor all = at::empty(with_rows(rows, rows.size(0) * size_), rows.options());
  std::vector<std::vector<at::Tensor>> outputs{all.chunk(size_)};
  std::vector<at::Tensor> inputs{rows.contiguous()};
  if (rows.numel() > 0)
    collective("all-gather", [&] { return groups_->of(rows).allgather(outputs, inputs); });
  return all;
}

at::Tensor ProcessGroupCommunicator::reduce_scatter_rows(const at::Tensor& rows) const {
  at::Tensor input = rows.contiguous();
  at::Tensor blocks = at::empty_like(input);
  std::vector<int64_t> even_split;
  if (rows.numel() > 0) {
    collective("reduce-scatter",
               [&] { return groups_->of(input).alltoall_base(blocks, input, even_split, even_split); });
  }
  std::vector<int64_t> sizes = with_rows(rows, rows.size(0) / size_);
  sizes.insert(sizes.begin(), size_);
  return blocks.view(sizes).sum(0);
}

void ProcessGroupCommunicator::barrier() const {
  collective("barrier", [&] { return groups_->gloo->barrier(); });
}

}  // namespace uir
