// A .rec with its .idx (none if empty).
#include "uir/formats/recordio.h"

#include "target.h"

UIR_FUZZ_TARGET(recordio) {
  const auto [idx_bytes, rec_bytes] = uir::fuzz::split<2>(bytes);
  const uir::fuzz::InputFile idx(idx_bytes), rec(rec_bytes);
  const uir::RecordFile file(rec.path());
  std::vector<std::byte> buffer;
  uir::for_each_image_record(file, idx_bytes.empty() ? uir::fs::path() : idx.path(),
                             [&](const uir::RecordEntry& entry, const uir::ImageRecord& record) {
                               uir::checksum64(record.image);
                               (void)record.label();
                               (void)file.record(entry.offset, buffer);
                             });
}
