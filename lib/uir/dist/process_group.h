// The communicator of a run with several ranks, over c10d's process groups: Gloo, and for CUDA tensors NCCL
// after with_nccl().
//
// Shapes: float32, float64 or int64 tensors. Results are the same on every rank, bit for bit:
// reduce_scatter_rows adds in rank order, all_reduce_sum in Gloo's order, which depends on the number of
// ranks only, or NCCL's, of which nothing is known.
// Cost: reduce_scatter_rows is an all-to-all and a local sum, since Gloo in LibTorch 1.13 has no
// reduce-scatter: the same traffic as a direct one.
// Errors: kRankLost when a rank fails, is lost or does not answer within the timeout. The ranks that are left
// then hold a roll call over the store (at most kRollCall) to name it. Nothing may be called after an error
// but announce_failure. Over NCCL a collective only starts; what is wrong with it shows in a later one, and
// one that does not end within the timeout makes all groups hang up (work_limit.h).
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "uir/dist/communicator.h"

namespace c10d {
class Store;
class ProcessGroup;
class ProcessGroupGloo;
}  // namespace c10d

namespace uir {

class GlooGroup;
struct CollectiveGroups;
class MeetingFolder;
struct RankConnections;

class ProcessGroupCommunicator : public Communicator {
 public:
  // Meets the other ranks at the store; returns when all of them came. `timeout` counts for meeting and,
  // until set_timeout, for collectives. `interface_address` is the host name or address on which this rank
  // listens; empty: the one of this machine's host name. `folder`: where the ranks met, if in one; it is left
  // at the end.
  ProcessGroupCommunicator(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank, int64_t size,
                           std::chrono::milliseconds timeout, const std::string& interface_address = "",
                           std::shared_ptr<const MeetingFolder> folder = nullptr);
  ~ProcessGroupCommunicator() override;

  int64_t rank() const override { return rank_; }
  int64_t size() const override { return size_; }
  void all_reduce_sum(at::Tensor& tensor) const override;
  at::Tensor all_gather_rows(const at::Tensor& rows) const override;
  at::Tensor reduce_scatter_rows(const at::Tensor& rows) const override;
  void barrier() const override;
  std::shared_ptr<const Communicator> another() const override;
  // As another(), with CUDA tensors over NCCL, and so in groups made from it; watches the ranks. Connects at
  // once, before memory runs out or a rank is lost: NCCL would wait for it without end. kInternal in a build
  // without NCCL.
  std::shared_ptr<const Communicator> with_nccl(at::Device device) const;
  // From here on all groups hang up as soon as a rank ends or hangs up (rank_watch.h). All ranks call it,
  // once.
  void watch() const;
  // A device of this rank, which is watched, has begun to work on what needs the other ranks: all groups hang
  // up if it has not ended after the timeout.
  void limit_work(std::function<bool()> ended) const;
  bool lost() const;  // whether they have hung up
  bool uses_nccl() const { return nccl_; }
  bool announce_failure(const std::string& message) const override;

  // How long a collective that starts from now on waits for the other ranks; of this group, not of others.
  void set_timeout(std::chrono::milliseconds timeout);

  // For parts of LibTorch that run collectives themselves.
  c10::intrusive_ptr<c10d::ProcessGroup> process_group() const;
  // Runs the call; what it throws becomes kRankLost, after hanging up, so that no other rank waits for this
  // one, and a roll call, which names who is lost.
  void guarded(const char* name, const std::function<void()>& call) const;

 private:
  // Runs the call and waits for the work it returns.
  template <class Call>
  void collective(const char* name, Call&& call) const;

  // One more group of the ranks of `other`.
  ProcessGroupCommunicator(const ProcessGroupCommunicator& other, bool nccl);

  void open_groups();
  bool keeps_store() const;  // so that it ends with this rank

  const std::shared_ptr<RankConnections> connections_;  // of all groups of these ranks
  c10::intrusive_ptr<c10d::Store> store_;
  int64_t rank_, size_;
  std::chrono::milliseconds timeout_;
  std::string interface_address_;
  bool nccl_ = false;
  mutable int64_t num_others_ = 0;  // groups made by another()
  std::shared_ptr<CollectiveGroups> groups_;
};

}  // namespace uir
