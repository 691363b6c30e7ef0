// A private folder of this machine (mode 0700) where the ranks of a run meet without an open port, and where
// each can see which of the others have ended: every rank holds a lock there, which the kernel releases when
// its process ends.
//
// Errors: kCannotCreate when the folder cannot be created; kUsage for one that belongs to somebody else or is
// open to others. Threads: has_ended from any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace uir {

// The variable by which our launcher tells its ranks the folder.
inline constexpr const char* kMeetingVariable = "UIR_MEETING";

// A new folder for one run, below a folder of this user in the temporary folder.
std::filesystem::path create_meeting_folder();

// Where rank 0 of a run that is known only by a name says which folder it created. It is there during the
// meeting only, so neither an earlier run of the same name nor a later one can be taken for this one.
class MeetingNotice {
 public:
  explicit MeetingNotice(const std::string& run_name);

  void publish(const std::filesystem::path& folder) const;
  void withdraw() const;
  std::optional<std::filesystem::path> read() const;  // none if there is no notice now

 private:
  std::filesystem::path path_;
};

class MeetingFolder {
 public:
  MeetingFolder(const std::filesystem::path& path, int64_t rank, int64_t size);
  // The last rank that leaves removes the folder.
  ~MeetingFolder();
  MeetingFolder(const MeetingFolder&) = delete;
  MeetingFolder& operator=(const MeetingFolder&) = delete;

  std::filesystem::path store() const { return path_ / "store"; }
  // Whether a rank that was here has left or its process has ended.
  bool has_ended(int64_t rank) const;

 private:
  std::filesystem::path lock_of(int64_t rank) const;

  std::filesystem::path path_;
  int64_t size_;
  int lock_;
};

}  // namespace uir
