#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "target.h"

namespace uir::fuzz {

InputFile::InputFile(Bytes content) : descriptor_(::memfd_create("input", MFD_CLOEXEC)) {
  if (descriptor_ < 0) fail(ErrorKind::kInternal, "cannot create a file in memory");
  for (Bytes rest = content; !rest.empty();) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written <= 0) fail(ErrorKind::kInternal, "cannot write a file in memory");
    rest = rest.subspan(static_cast<size_t>(written));
  }
  path_ = "/proc/self/fd/" + std::to_string(descriptor_);
}

InputFile::~InputFile() { ::close(descriptor_); }

}  // namespace uir::fuzz
