// Files of torch.save. First byte 0: the file as it is; 1: the pickle inside a whole zip archive with the
// storages "0" (16 bytes), "1" (64 bytes) and "2" (none), so that checksums do not keep the fuzzer out.
#include "uir/formats/torch_file.h"

#include <string>

#include "support/zip_archive.h"
#include "target.h"

namespace {

using namespace uir;

void read_dict(const TorchDict& dict, int depth) {
  for (const TensorView& view : dict.tensors()) {
    ensure(view.bytes.size() == byte_size(view), "a tensor has its bytes");
    checksum64(view.bytes);
  }
  for (const std::string_view key : dict.keys()) {
    (void)dict.number(key);
    (void)dict.tensor(key);
    if (const auto inner = dict.dict(key); inner && depth < 2) read_dict(*inner, depth + 1);
  }
}

}  // namespace

UIR_FUZZ_TARGET(torch_file) {
  std::string content;
  if (fuzz::take_choice(bytes, 2) == 0) {
    content = as_text(bytes);
  } else {
    ZipArchive archive;
    archive.add("a/data.pkl", as_text(bytes));
    archive.add("a/data/0", std::string(16, '\0'));
    archive.add("a/data/1", std::string(64, '\1'));
    archive.add("a/data/2", "");
    content = archive.bytes();
  }
  const fuzz::InputFile input(as_bytes(content));
  const TorchFile file(input.path());
  read_dict(file.root(), 0);
}
