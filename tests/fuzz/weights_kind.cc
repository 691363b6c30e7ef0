// What a file that is given as weights is. First byte 0: the file as it is; 1: the names of an archive's
// entries, one per line.
#include "uir/formats/weights_kind.h"

#include <string>

#include "support/zip_archive.h"
#include "target.h"

UIR_FUZZ_TARGET(weights_kind) {
  const auto choice = uir::fuzz::take_choice(bytes, 2);
  std::string content(uir::as_text(bytes));
  if (choice == 1) {
    ZipArchive archive;
    archive.method = 8;
    for (size_t begin = 0, end; (end = content.find('\n', begin)) != std::string::npos; begin = end + 1)
      archive.add(content.substr(begin, end - begin), "");
    content = archive.bytes();
  }
  const uir::fuzz::InputFile input(uir::as_bytes(content));
  if (choice == 0) {
    weights_format(uir::MappedFile(input.path()));
  } else {
    foreign_archive(uir::ZipFile(input.path()));
  }
}
