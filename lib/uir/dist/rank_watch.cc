#include "uir/dist/rank_watch.h"

#include <ATen/ops/zeros.h>

#include <exception>
#include <utility>

namespace uir {
namespace {

constexpr int kTag = 0;
constexpr std::chrono::hours kForever{24 * 365};
constexpr std::chrono::milliseconds kPause{5};

int neighbour(const GlooGroup& group, int step) {
  return (group.getRank() + group.getSize() + step) % group.getSize();
}

}  // namespace

RankWatch::RankWatch(const c10::intrusive_ptr<GlooGroup>& group, std::function<void()> lost)
    : group_(group),
      word_{at::zeros({1}, at::kLong)},
      word_comes_(group->recv(word_, neighbour(*group, -1), kTag)),
      thread_([this, lost = std::move(lost)] {
        try {
          word_comes_->wait(kForever);
        } catch (const std::exception&) {
          if (!given_up_) lost();
        }
        ended_ = true;
      }) {}

RankWatch::~RankWatch() {
  if (!given_up_) send_word();
  const auto latest = std::chrono::steady_clock::now() + kLongestEnd;
  while (!ended_) {  // again and again: a wait that has yet to begin does not hear it
    if (given_up_ || std::chrono::steady_clock::now() > latest) word_comes_->abort();
    std::this_thread::sleep_for(kPause);
  }
  thread_.join();
}

void RankWatch::send_word() {
  try {
    std::vector<at::Tensor> word{at::zeros({1}, at::kLong)};
    group_->send(word, neighbour(*group_, 1), kTag)->wait(kLongestEnd);
  } catch (const std::exception&) {  // that rank is gone, and its message says why
  }
}

}  // namespace uir
