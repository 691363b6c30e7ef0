#include "uir/submission/submission.h"

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/faces_on_disk.h"
#include "support/temp_folder.h"

using namespace uir;

namespace {

DataConfig one_source(SourceConfig source) {
  DataConfig data;
  data.sources = {std::move(source)};
  return data;
}

EmbeddingStore store_of(const fs::path& folder, const std::vector<std::string>& items) {
  EmbeddingStoreWriter writer(folder, {std::ssize(items), 2, true, false}, Json::object());
  for (const std::string& item : items) {
    const std::vector<float> face{3, 4}, mirrored{3, -4};
    writer.append({face.data(), 1, 2}, mirrored.data(), nullptr, std::vector<std::string>{item + "\t-1"});
  }
  writer.commit();
  return EmbeddingStore::open(folder);
}

std::optional<ErrorKind> refusal(const Submission& submission, const std::vector<std::string>& sets,
                                 bool mirrored = true) {
  return kind_of([&] { submission.check(sets, mirrored); });
}

}  // namespace

TEST_CASE("What has no such submission is refused before anything is extracted", "[submission]") {
  const TempFolder folder;
  const SubmissionConfig plain;
  const DataConfig images = one_source(synthetic_source("faces", Role::kTest, 2, 1));
  SourceConfig clips;
  clips.name = "clips";
  clips.kind = VideosSource();
  const DataConfig videos = one_source(clips);

  CHECK_FALSE(Submission(images, plain, {}).wanted());
  CHECK_NOTHROW(Submission(images, plain, {}).check({"faces"}, false));
  CHECK(refusal({images, plain, {std::nullopt, "out.bin"}}, {"faces"}) == ErrorKind::kUsage);
  CHECK(refusal({images, plain, {SubmissionFormat::kLfr, "out.bin"}}, {"faces", "more"}) ==
        ErrorKind::kUsage);
  CHECK(refusal({images, plain, {SubmissionFormat::kLfr, ""}}, {"more"}) == ErrorKind::kConfig);
  CHECK_NOTHROW(Submission(videos, plain, {SubmissionFormat::kLfr, ""}).check({"clips"}, false));
  CHECK(refusal({videos, plain, {SubmissionFormat::kMegaFace, ""}}, {"clips"}) == ErrorKind::kConfig);

  SubmissionConfig changed;
  changed.frames.aggregation = Aggregation::kNormWeighted;
  CHECK(refusal({images, changed, {SubmissionFormat::kLfr, ""}}, {"faces"}) == ErrorKind::kConfig);
  changed = {};
  changed.frames.flip = true;
  CHECK_NOTHROW(Submission(images, changed, {SubmissionFormat::kLfr, ""}).check({"faces"}, true));
  CHECK(refusal({images, changed, {SubmissionFormat::kLfr, ""}}, {"faces"}, false) == ErrorKind::kConfig);

  create_folders(folder / "tree/inside");
  const std::string taken = (folder / "tree").string();
  CHECK(refusal({images, plain, {SubmissionFormat::kMegaFace, taken}}, {"faces"}) ==
        ErrorKind::kCannotCreate);
}

TEST_CASE("A row per line of the list, or none at all", "[submission]") {
  const TempFolder folder;
  const DataConfig data = one_source(synthetic_source("faces", Role::kTest, 2, 1));
  SubmissionConfig config;
  const Submission submission(data, config, {SubmissionFormat::kLfr, ""});
  submission.write("faces", store_of(folder / "whole", {"0/0", "1/0"}), folder / "out");
  const MappedMatrix rows = open_challenge_file(folder / "out/faces.bin");
  REQUIRE(rows.matrix().rows == 2);
  CHECK(rows.matrix().row(1)[0] == 0.6f);
  CHECK(rows.matrix().row(1)[1] == 0.8f);

  config.normalize = false;
  config.frames.flip = true;
  submission.write("faces", store_of(folder / "whole", {"0/0", "1/0"}), folder / "out");
  const MappedMatrix sums = open_challenge_file(folder / "out/faces.bin");
  CHECK(sums.matrix().row(0)[0] == 6);
  CHECK(sums.matrix().row(0)[1] == 0);

  const auto refused = [&](const std::vector<std::string>& items) {
    const auto error =
        error_of([&] { submission.write("faces", store_of(folder / "other", items), folder / "none"); });
    return error && error->kind() == ErrorKind::kData ? std::string(error->what()) : "";
  };
  CHECK_THAT(refused({"0/0"}), contains_text("has only 1 rows; the next would be '1/0'"));
  CHECK_THAT(refused({"1/0", "0/0"}), contains_text("has '1/0' as row 0 (counted from 0), the list '0/0'"));
  CHECK_THAT(refused({"0/0", "1/0", "2/0"}), contains_text("has 3 rows, the list 2"));
  CHECK_FALSE(fs::exists(folder / "none/faces.bin"));
}
