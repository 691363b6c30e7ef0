#include "uir/dist/rank_roll.h"

#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/dist/compat.h"
#include "uir/ranks/meeting_folder.h"

namespace uir {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* kNote = "failure/note";
constexpr milliseconds kPoll{20};

std::string present_key(int64_t rank) { return concat("roll_call/present/", rank); }
std::string done_key(int64_t rank) { return concat("roll_call/done/", rank); }  // needs the store no longer

// What the call returns; none if it has not returned in time or the store is lost. A call that hangs keeps
// its thread: a read from a store whose process hangs has no time limit in c10d. What it uses, it must own.
template <class Result>
std::optional<Result> within(milliseconds limit, std::function<Result()> call) {
  auto promise = std::make_shared<std::promise<std::optional<Result>>>();
  auto result = promise->get_future();
  std::thread([promise, call = std::move(call)] {
    try {
      promise->set_value(call());
    } catch (const std::exception&) {
      promise->set_value(std::nullopt);
    }
  }).detach();
  if (result.wait_for(limit) != std::future_status::ready) return std::nullopt;
  return result.get();
}

std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

// The note is "<rank> <message>".
struct Note {
  int64_t rank;
  std::string message;
};

std::optional<Note> read_note(c10d::Store& store) {
  if (!store.check({kNote})) return std::nullopt;
  const std::vector<uint8_t> bytes = store.get(kNote);
  const std::string text(bytes.begin(), bytes.end());
  return Note{std::stoll(text), text.substr(text.find(' ') + 1)};
}

struct Roll {
  std::vector<bool> present, ended;
  std::optional<Note> note;

  bool complete() const {
    for (size_t i = 0; i < present.size(); ++i) {
      if (!present[i]) return false;
    }
    return true;
  }
  bool any_ended() const {
    for (const bool one : ended) {
      if (one) return true;
    }
    return false;
  }
};

void look(Roll& roll, c10d::Store& store, const MeetingFolder* folder) {
  for (size_t i = 0; i < roll.present.size(); ++i) {
    const auto rank = static_cast<int64_t>(i);
    // In this order: a rank that has ended answered before or never.
    if (!roll.present[i] && folder != nullptr) roll.ended[i] = folder->has_ended(rank);
    if (!roll.present[i]) roll.present[i] = store.check({present_key(rank)});
    if (roll.present[i]) roll.ended[i] = false;
  }
  roll.note = read_note(store);
}

// Ends at once when all are present, one has left a note or one has certainly ended; else at the deadline.
Roll call_roll(c10d::Store& store, int64_t rank, int64_t size, const MeetingFolder* folder,
               milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  Roll roll{std::vector<bool>(static_cast<size_t>(size)), std::vector<bool>(static_cast<size_t>(size)), {}};
  set_flag(store, present_key(rank));
  for (look(roll, store, folder);
       !roll.note && !roll.complete() && !roll.any_ended() && Clock::now() < deadline;) {
    std::this_thread::sleep_for(kPoll);
    try {
      look(roll, store, folder);
    } catch (const std::exception&) {  // the store's rank has ended meanwhile: what is known is known
      return roll;
    }
  }
  set_flag(store, done_key(rank));
  return roll;
}

}  // namespace

RankRoll::RankRoll(c10::intrusive_ptr<c10d::Store> store, int64_t rank, int64_t size,
                   std::shared_ptr<const MeetingFolder> folder)
    : store_(std::move(store)), rank_(rank), size_(size), folder_(std::move(folder)) {}

bool RankRoll::announce(const std::string& message, milliseconds limit) const {
  const auto said = within<bool>(limit, [store = store_, rank = rank_, message, limit] {
    set_flag(*store, present_key(rank));
    const bool is_first = store->add("failure/count", 1) == 1;
    if (is_first) store->set(kNote, bytes_of(concat(rank, ' ', message)));
    store->wait({kNote}, limit);
    const std::optional<Note> first = read_note(*store);
    set_flag(*store, done_key(rank));
    return !is_first && first && first->message == message && first->rank != rank;
  });
  return !said.value_or(false);
}

std::string RankRoll::reason(milliseconds limit) const {
  const std::optional<Roll> roll =
      within<Roll>(limit + limit / 4, [store = store_, rank = rank_, size = size_, folder = folder_, limit] {
        return call_roll(*store, rank, size, folder.get(), limit);
      });
  if (!roll) {
    return folder_ ? "the ranks' meeting folder is gone or blocked by a rank that hangs"
                   : concat("rank 0 of ", size_,
                            ", or what else keeps the meeting point, was lost: the meeting "
                            "point does not answer");
  }
  if (roll->note) return concat("rank ", roll->note->rank, " of ", size_, " failed: ", roll->note->message);
  std::string lost;
  for (int64_t rank = 0; rank < size_; ++rank) {
    const auto i = static_cast<size_t>(rank);
    if (roll->present[i] || (roll->any_ended() && !roll->ended[i])) continue;
    lost += concat(lost.empty() ? "" : ", ", "rank ", rank, " of ", size_,
                   " was lost: ", roll->ended[i] ? "its process has ended" : "it does not answer");
  }
  return lost.empty() ? "every rank still answers, but one was slower than the timeout" : lost;
}

void RankRoll::wait_for_others(milliseconds limit) const {
  const Clock::time_point deadline = Clock::now() + limit;
  within<bool>(limit, [store = store_, size = size_, deadline] {
    std::vector<std::string> keys;
    for (int64_t rank = 0; rank < size; ++rank) keys.push_back(done_key(rank));
    while (!store->check(keys) && Clock::now() < deadline) std::this_thread::sleep_for(kPoll);
    return true;
  });
}

}  // namespace uir
