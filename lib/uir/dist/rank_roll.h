// What the ranks tell each other through the store when a collective has failed: who still answers, and why a
// rank gave up. A store may itself be lost or hang with the process that keeps it: every call returns after
// its time limit.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace c10d {
class Store;
}

namespace uir {

class MeetingFolder;

class RankRoll {
 public:
  // `folder`: where the ranks met, if they met in one; then a rank whose process has ended is known for sure.
  RankRoll(c10::intrusive_ptr<c10d::Store> store, int64_t rank, int64_t size,
           std::shared_ptr<const MeetingFolder> folder);

  // Leaves a note for the other ranks. False: another rank has left the same one before.
  bool announce(const std::string& message, std::chrono::milliseconds limit) const;
  // The reason why a collective failed: "rank 2 of 4 failed: its message" or "rank 2 of 4 was lost: …".
  std::string reason(std::chrono::milliseconds limit) const;
  // Returns when every other rank has announced or knows its reason. For the rank whose end takes the store
  // away.
  void wait_for_others(std::chrono::milliseconds limit) const;

 private:
  c10::intrusive_ptr<c10d::Store> store_;
  int64_t rank_, size_;
  std::shared_ptr<const MeetingFolder> folder_;
};

}  // namespace uir
