#include "uir/dist/process_group.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/sum.h>

#include <exception>
#include <vector>

#include "uir/base/error.h"
#include "uir/dist/compat.h"

namespace uir {
namespace {

std::vector<int64_t> with_rows(const at::Tensor& tensor, int64_t rows) {
  std::vector<int64_t> sizes = tensor.sizes().vec();
  sizes[0] = rows;
  return sizes;
}

c10::intrusive_ptr<c10d::ProcessGroupGloo> meet(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank,
                                                int64_t size, std::chrono::milliseconds timeout,
                                                const std::string& address) {
  auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  options->devices.push_back(address.empty() ? c10d::ProcessGroupGloo::createDefaultDevice()
                                             : c10d::ProcessGroupGloo::createDeviceForHostname(address));
  store->setTimeout(timeout);
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, static_cast<int>(rank), static_cast<int>(size),
                                                     options);
}

}  // namespace

ProcessGroupCommunicator::ProcessGroupCommunicator(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank,
                                                   int64_t size, std::chrono::milliseconds timeout,
                                                   const std::string& interface_address)
    : store_(store), rank_(rank), size_(size), timeout_(timeout), interface_address_(interface_address) {
  try {
    group_ = meet(store, rank, size, timeout, interface_address);
  } catch (const std::exception& error) {
    fail(ErrorKind::kRankLost, "rank ", rank, " of ", size, ": the ranks did not meet within ",
         timeout.count(), " ms: ", error.what(), "; were all of them started?");
  }
}

ProcessGroupCommunicator::~ProcessGroupCommunicator() = default;

std::shared_ptr<const Communicator> ProcessGroupCommunicator::another() const {
  const auto store = c10::make_intrusive<c10d::PrefixStore>(concat("another/", num_others_++), store_);
  return std::make_shared<ProcessGroupCommunicator>(store, rank_, size_, timeout_, interface_address_);
}

c10::intrusive_ptr<c10d::ProcessGroup> ProcessGroupCommunicator::process_group() const {
  return as_process_group(group_);
}

template <class Call>
void ProcessGroupCommunicator::collective(const char* name, Call&& call) const {
  guarded(name, [&] { call()->wait(); });
}

void ProcessGroupCommunicator::guarded(const char* name, const std::function<void()>& call) const {
  try {
    call();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    fail(ErrorKind::kRankLost, "rank ", rank_, " of ", size_, ": ", name, " failed: ", error.what(),
         "; another rank ended or did not answer in time: its own message says why");
  }
}

void ProcessGroupCommunicator::all_reduce_sum(at::Tensor& tensor) const {
  std::vector<at::Tensor> tensors{tensor};
  collective("all-reduce", [&] { return group_->allreduce(tensors); });
}

at::Tensor ProcessGroupCommunicator::all_gather_rows(const at::Tensor& rows) const {
  at::Tensor all = at::empty(with_rows(rows, rows.size(0) * size_), rows.options());
  std::vector<std::vector<at::Tensor>> outputs{all.chunk(size_)};
  std::vector<at::Tensor> inputs{rows.contiguous()};
  if (rows.numel() > 0) collective("all-gather", [&] { return group_->allgather(outputs, inputs); });
  return all;
}

at::Tensor ProcessGroupCommunicator::reduce_scatter_rows(const at::Tensor& rows) const {
  at::Tensor input = rows.contiguous();
  at::Tensor blocks = at::empty_like(input);
  std::vector<int64_t> even_split;
  if (rows.numel() > 0) {
    collective("reduce-scatter",
               [&] { return group_->alltoall_base(blocks, input, even_split, even_split); });
  }
  std::vector<int64_t> sizes = with_rows(rows, rows.size(0) / size_);
  sizes.insert(sizes.begin(), size_);
  return blocks.view(sizes).sum(0);
}

void ProcessGroupCommunicator::barrier() const {
  collective("barrier", [&] { return group_->barrier(); });
}

}  // namespace uir
