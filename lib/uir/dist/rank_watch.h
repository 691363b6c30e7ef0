// Notices at once when another rank ends or hangs up, also while this one waits for a device and runs no
// collective of Gloo's.
//
// The ranks stand in a ring; a thread of each waits for a word of the rank before it, which comes only at the
// end. A connection that closes before that is a lost rank.
// Cost: a thread that sleeps, a Gloo group. Errors: none; the callback runs in the thread. Collectives: the
// destructor returns when the rank before this one is there too, a connection has closed, or kLongestEnd has
// passed.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "uir/dist/compat.h"

namespace uir {

class RankWatch {
 public:
  static constexpr std::chrono::seconds kLongestEnd{60};

  // lost: called at most once. Throws what c10d does if a connection is closed already.
  RankWatch(const c10::intrusive_ptr<GlooGroup>& group, std::function<void()> lost);
  ~RankWatch();
  RankWatch(const RankWatch&) = delete;
  RankWatch& operator=(const RankWatch&) = delete;

  // This rank hangs up: no word will come, and closing the connections on this side does not end the wait for
  // it.
  void give_up() { given_up_ = true; }

 private:
  void send_word();

  c10::intrusive_ptr<GlooGroup> group_;
  std::vector<at::Tensor> word_;
  c10::intrusive_ptr<c10d::Work> word_comes_;
  std::atomic<bool> given_up_ = false, ended_ = false;
  std::thread thread_;
};

}  // namespace uir
