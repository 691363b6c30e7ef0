#include "uir/store/challenge_writer.h"

#include <utility>

#include "uir/base/error.h"
#include "uir/store/embedding_store.h"

namespace uir {

ChallengeWriter::ChallengeWriter(const fs::path& path, int64_t rows, int64_t cols)
    : file_(path), rows_(rows), cols_(cols) {
  file_.out().write(challenge_header(rows, cols));
}

void ChallengeWriter::append(std::span<const float> row) {
  ensure(static_cast<int64_t>(row.size()) == cols_ && written_ < rows_,
         "rows of a feature file fit its header");
  file_.out().write_values(row);
  ++written_;
}

void ChallengeWriter::commit() {
  ensure(written_ == rows_, "all rows of a feature file are written");
  file_.commit();
}

ChallengeTreeWriter::ChallengeTreeWriter(const fs::path& folder, std::string suffix)
    : folder_(folder), suffix_(std::move(suffix)) {}

void ChallengeTreeWriter::add(std::string_view item, std::span<const float> row) {
  const fs::path path = join_inside(folder_.path(), concat(item, '_', suffix_, ".bin"));
  if (fs::exists(path)) fail(ErrorKind::kData, "item '", item, "' occurs twice; its file can hold one");
  create_folders(path.parent_path());
  OutputFile file(path);
  file.write(challenge_header(static_cast<int64_t>(row.size()), 1));
  file.write_values(row);
  file.close(OutputFile::Sync::kLater);
}

void ChallengeTreeWriter::commit() {
  sync_file_system(folder_.path());
  folder_.commit();
}

}  // namespace uir
