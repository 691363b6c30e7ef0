// What the ranks of a run say to each other. One process: every call returns at once.
//
// Wraps c10d's process group, so that tests can build several ranks as threads of one process.
// Collectives: every function that says so is called by all ranks, in the same order; it returns when this
// rank's part is done (over NCCL: queued on the device). Tensors are float32, float64 or int64, on any
// device.
// Errors: a lost rank, a rank that failed and a time-out are kRankLost; no collective may follow one.
// Threads: calls of one communicator come from one thread.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace uir {

class Communicator {
 public:
  Communicator();  // a world of one
  virtual ~Communicator();

  virtual int64_t rank() const { return 0; }
  virtual int64_t size() const { return 1; }

  // Sums in place over all ranks; over Gloo the bits are the same on every rank. Same shape everywhere.
  // Collective.
  virtual void all_reduce_sum(at::Tensor& tensor) const;
  // Row blocks of all ranks, in rank order: [n, …] → [k n, …]. Every rank gives the same shape. Collective.
  virtual at::Tensor all_gather_rows(const at::Tensor& rows) const;
  // Sums [k n, …] over all ranks, in rank order, and returns this rank's block [n, …]. Collective.
  virtual at::Tensor reduce_scatter_rows(const at::Tensor& rows) const;
  virtual void barrier() const {}  // collective
  // The same ranks once more, for collectives that run beside this one's (in another thread, or started by
  // another part of a step). All ranks call it in the same order.
  virtual std::shared_ptr<const Communicator> another() const;

  // The same number on every rank: the sum of theirs. Collective.
  int64_t sum(int64_t value) const;
  // Tells the other ranks why this one gives up, so that they end with this reason instead of a guess. No
  // collective may follow. False: another rank has given the same reason before.
  virtual bool announce_failure(const std::string&) const { return true; }
};

// Runs what a rank does between meeting the others and its end: an error of its own is announced to them
// before it is rethrown. Of an error that all ranks share (a file that is not there), the first one has the
// text.
void run_as_rank(const Communicator& communicator, const std::function<void()>& body);

// The bytes of every rank, in rank order. Collective: two gathers; memory: ranks times the longest.
std::vector<std::string> all_gather_bytes(const Communicator& communicator, std::string_view bytes);

}  // namespace uir
