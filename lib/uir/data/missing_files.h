// Files that a list names and that are not there, collected so that one error names them all.
// Memory: bounded. Threads: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/base/error.h"

namespace uir {

class MissingFiles {
 public:
  // describe() gives "list.txt:6: faces/p1/2.jpg: cannot open: …"; it is asked for files that will be named
  // only, since finding a line's number costs more than finding that its file is missing.
  template <class Describe>
  void add(Describe&& describe) {
    if (++count_ <= kNamed) named_.push_back(describe());
  }
  bool any() const { return count_ > 0; }

  // kMissingInput naming the first twenty and how many there are, if there are any. remedy: what helps;
  // more(): what would help with these, a line at the end; empty if nothing is known.
  template <class More>
  void refuse(std::string_view remedy, More&& more) const {
    if (count_ == 0) return;
    const std::string last = more(), end = last.empty() ? "" : "\n  " + last;
    if (count_ == 1) fail(ErrorKind::kMissingInput, named_.front(), "; ", remedy, end);
    std::string text = concat(count_, " files are not there (", remedy, "):");
    for (const std::string& what : named_) text += "\n  " + what;
    if (count_ > kNamed) text += concat("\n  and ", count_ - kNamed, " more");
    fail(ErrorKind::kMissingInput, text, end);
  }
  void refuse(std::string_view remedy) const {
    refuse(remedy, [] { return std::string(); });
  }

 private:
  static constexpr int64_t kNamed = 20;
  std::vector<std::string> named_;
  int64_t count_ = 0;
};

}  // namespace uir
