// Lists of images: the first byte chooses the format; one more stands for a CSV of landmarks beside a folder.
#include "target.h"
#include "uir/data/folder_listing.h"
#include "uir/data/list_file.h"

namespace {

void read_list(const uir::fs::path& path, uir::ListFormat format) {
  (void)uir::survey_labels(path, format);
  uir::ListFile list(path, format);
  uir::ListEntry entry;
  while (list.next(entry)) {
    if (uir::ListFile::labels_are_numbers(format)) uir::parse_label(list.lines(), entry.label, 0);
    (void)uir::item_in("/data", entry.path);
  }
}

}  // namespace

UIR_FUZZ_TARGET(lists) {
  constexpr auto& formats = uir::EnumNames<uir::ListFormat>::value;
  const size_t choice = uir::fuzz::take_choice(bytes, formats.size() + 1);
  const uir::fuzz::InputFile file(bytes);
  if (choice < formats.size()) return read_list(file.path(), formats[choice].first);
  uir::LandmarkTable table(file.path());
  (void)table.find("a/1.jpg");
  table.check_used();
}
