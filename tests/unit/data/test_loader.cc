#include "uir/data/loader.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "support/catch.h"
#include "support/faces_on_disk.h"
#include "support/temp_folder.h"
#include "uir/base/error.h"
#include "uir/data/augment.h"
#include "uir/data/sampler.h"
#include "uir/pixels/pixels.h"

using namespace uir;

namespace {

LoaderOptions options_for(int64_t num_batches, int64_t threads, bool training) {
  LoaderOptions options;
  options.config.threads = threads;
  options.training = training;
  options.seed = 11;
  options.num_batches = num_batches;
  return options;
}

// Batch b holds the rows [b size, (b + 1) size).
BatchPlan in_row_order(const Index& index, int64_t size) {
  return [index, size](int64_t batch) {
    std::vector<Sample> samples;
    for (int64_t row = batch * size; row < (batch + 1) * size; ++row) {
      samples.push_back({row, index.labels()[static_cast<size_t>(row)], 0});
    }
    return samples;
  };
}

std::vector<Batch> all_batches(Loader& loader) {
  std::vector<Batch> batches;
  Batch batch;
  while (loader.next(batch)) batches.push_back(batch);
  return batches;
}

bool equal(const Batch& a, const Batch& b) {
  return a.images == b.images && a.labels == b.labels && a.rows == b.rows;
}

std::vector<uint8_t> image_of(const Batch& batch, size_t i) {
  return {batch.images.begin() + static_cast<int64_t>(i) * kImageBytes,
          batch.images.begin() + static_cast<int64_t>(i + 1) * kImageBytes};
}

// 3 people x 4 files, of which the named rows are broken after indexing.
Index files_with_broken(const TempFolder& folder, const std::set<int64_t>& broken) {
  write_faces(folder / "faces", 3, 4);
  const Index index =
      make_index(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces")});
  for (const int64_t row : broken) {
    const std::vector<std::byte> bytes = jpeg_face(row / 4, row % 4);
    write_bytes(face_path(folder / "faces", row / 4, row % 4), Bytes(bytes).first(bytes.size() - 64));
  }
  return index;
}

}  // namespace

TEST_CASE("Batches come in plan order with the right images and labels", "[loader]") {
  const TempFolder folder;
  const Index index = files_with_broken(folder, {});
  Loader loader(index, in_row_order(index, 5), options_for(2, 2, false));
  const std::vector<Batch> batches = all_batches(loader);
  REQUIRE(batches.size() == 2);
  for (int64_t row = 0; row < 10; ++row) {
    const Batch& batch = batches[static_cast<size_t>(row / 5)];
    const auto i = static_cast<size_t>(row % 5);
    REQUIRE(batch.size() == 5);
    CHECK(batch.rows[i] == row);
    CHECK(batch.labels[i] == row / 4);
    CHECK(image_of(batch, i) == decode_image(jpeg_face(row / 4, row % 4)).pixels);
  }
  Batch batch;
  CHECK_FALSE(loader.next(batch));
  CHECK(loader.bad_images().empty());
  CHECK(loader.waited_s() >= 0);
}

TEST_CASE("Fault 14: any number of threads gives the same batches", "[loader]") {
  const TempFolder folder;
  const Index index =
      make_index(folder / "index", {synthetic_source("known", Role::kLabeled, 6, 5),
                                    synthetic_source("strangers", Role::kUnlabeled, 11, 1, 50)});
  const TrainingSampler sampler(index, {8, 4, 1, 0, 1}, 3);
  std::optional<std::vector<Batch>> reference;
  for (const int64_t threads : {1, 2, 5}) {
    for (const int64_t prefetch : {1, 4}) {
      LoaderOptions options = options_for(9, threads, true);
      options.config.prefetch = prefetch;
      options.augment.crop = options.augment.color = options.augment.blur = options.augment.jpeg = 0.5;
      Loader loader(
          index, [&](int64_t m) { return sampler.micro_batch(m); }, options);
      const std::vector<Batch> batches = all_batches(loader);
      REQUIRE(batches.size() == 9);
      if (!reference) reference = batches;
      for (size_t i = 0; i < 9; ++i) REQUIRE(equal(batches[i], (*reference)[i]));
    }
  }
  LoaderOptions resumed = options_for(4, 2, true);
  resumed.first_batch = 5;
  resumed.augment.crop = resumed.augment.color = resumed.augment.blur = resumed.augment.jpeg = 0.5;
  Loader loader(
      index, [&](int64_t m) { return sampler.micro_batch(m); }, resumed);
  const std::vector<Batch> batches = all_batches(loader);
  REQUIRE(batches.size() == 4);
  for (size_t i = 0; i < 4; ++i) CHECK(equal(batches[i], (*reference)[5 + i]));
}

TEST_CASE("Training images are augmented by seed, epoch and row; others are not", "[loader]") {
  const TempFolder folder;
  const Index index = make_index(folder / "index", {synthetic_source("known", Role::kLabeled, 4, 5)});
  const BatchPlan plan = [](int64_t) {
    std::vector<Sample> samples;
    for (int64_t row = 0; row < 20; ++row) samples.push_back({row, row / 5, 7});
    return samples;
  };
  Loader training(index, plan, options_for(1, 2, true)), plain(index, plan, options_for(1, 2, false));
  Batch augmented, original;
  REQUIRE(training.next(augmented));
  REQUIRE(plain.next(original));
  for (size_t i = 0; i < 20; ++i) {
    std::vector<uint8_t> expected = image_of(original, i);
    augment_face({}, 11, 7, static_cast<int64_t>(i), expected.data());
    CHECK(image_of(augmented, i) == expected);
  }
  CHECK(augmented.images != original.images);
}

TEST_CASE("Fault 5: without a budget the first bad image ends the run, after the batches before it",
          "[loader]") {
  const TempFolder folder;
  const Index index = files_with_broken(folder, {6, 9});
  for (const int64_t threads : {1, 3}) {
    Loader loader(index, in_row_order(index, 3), options_for(4, threads, true));
    Batch batch;
    REQUIRE(loader.next(batch));
    REQUIRE(loader.next(batch));
    for (int again = 0; again < 2; ++again) {
      try {
        loader.next(batch);
        FAIL("delivered");
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::kData);
        CHECK(std::string(error.what()).find("source 'known': p1/2.jpg: ") == 0);
        CHECK(std::string(error.what()).find("max_bad allows 0") != std::string::npos);
      }
    }
  }
}

TEST_CASE("Fault 5: within the budget a bad training image is replaced by the next good one of its source",
          "[loader]") {
  const TempFolder folder;
  const Index index = files_with_broken(folder, {2, 3, 11});
  for (const int64_t threads : {1, 2, 5}) {
    LoaderOptions options = options_for(2, threads, true);
    options.config.max_bad = 3;
    options.augment.mirror = false;
    const BatchPlan twice = [plan = in_row_order(index, 12)](int64_t) { return plan(0); };
    Loader loader(index, twice, options);
    for (const Batch& batch : all_batches(loader)) {
      CHECK(batch.rows == std::vector<int64_t>{0, 1, 4, 4, 4, 5, 6, 7, 8, 9, 10, 0});
      CHECK(batch.labels == std::vector<int64_t>{0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 0});
      for (size_t i = 0; i < 12; ++i) {
        REQUIRE(image_of(batch, i) == decode_image(jpeg_face(batch.rows[i] / 4, batch.rows[i] % 4)).pixels);
      }
    }
    const std::vector<BadImage> bad = loader.bad_images();  // each once, though met twice
    REQUIRE(bad.size() == 3);
    CHECK(bad[0].row == 2);
    CHECK(bad[1].row == 3);
    CHECK(bad[2].row == 11);
    CHECK(bad[0].reason.find("source 'known': p0/2.jpg: changed since it was indexed") == 0);
  }
}

TEST_CASE("Fault 5: outside training a bad image is black and its row is -1", "[loader]") {
  const TempFolder folder;
  const Index index = files_with_broken(folder, {5});
  LoaderOptions options = options_for(1, 2, false);
  options.config.max_bad = 1;
  Loader loader(index, in_row_order(index, 12), options);
  Batch batch;
  REQUIRE(loader.next(batch));
  CHECK(batch.rows[5] == -1);
  CHECK(batch.labels[5] == 1);
  CHECK(image_of(batch, 5) == std::vector<uint8_t>(kImageBytes, 0));
  CHECK(batch.rows[6] == 6);
  REQUIRE(loader.bad_images().size() == 1);
  CHECK(loader.bad_images()[0].row == 5);
}

TEST_CASE("A source without a good image ends within its budget", "[loader]") {
  const TempFolder folder;
  const Index index = files_with_broken(folder, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const auto failure_with_budget = [&](int64_t budget) -> std::string {
    LoaderOptions options = options_for(1, 2, true);
    options.config.max_bad = budget;
    Loader loader(index, in_row_order(index, 4), options);
    Batch batch;
    try {
      loader.next(batch);
    } catch (const Error& error) {
      return error.what();
    }
    return "delivered";
  };
  CHECK(failure_with_budget(5).find("max_bad allows 5") != std::string::npos);
  CHECK(failure_with_budget(100) == "source 'known': p0/0.jpg: no image of this source can be read");
}

TEST_CASE("An exception of the plan reaches the consumer after the batches before it", "[loader]") {
  const TempFolder folder;
  const Index index = make_index(folder / "index", {synthetic_source("known", Role::kLabeled, 2, 5)});
  const BatchPlan plan = [&](int64_t batch) {
    if (batch == 2) fail(ErrorKind::kInternal, "no such batch");
    return in_row_order(index, 4)(batch);
  };
  Loader loader(index, plan, options_for(5, 3, true));
  Batch batch;
  CHECK(loader.next(batch));
  CHECK(loader.next(batch));
  CHECK_THROWS_WITH(loader.next(batch), "no such batch");
}

TEST_CASE("The plan is asked in order and not further ahead than the prefetch", "[loader]") {
  const TempFolder folder;
  const Index index = make_index(folder / "index", {synthetic_source("known", Role::kLabeled, 2, 5)});
  std::vector<int64_t> asked;  // the loader calls the plan under its lock
  LoaderOptions options = options_for(10, 4, true);
  options.first_batch = 3;
  options.config.prefetch = 2;
  {
    Loader loader(
        index, [&](int64_t batch) { return asked.push_back(batch), in_row_order(index, 4)(0); }, options);
    Batch batch;
    REQUIRE(loader.next(batch));
    REQUIRE(loader.next(batch));
  }  // ends in mid-run
  REQUIRE(asked.size() >= 2);
  CHECK(asked.size() <= 4);
  for (size_t i = 0; i < asked.size(); ++i) CHECK(asked[i] == 3 + static_cast<int64_t>(i));
}

TEST_CASE("Memory of batches handed back is used again", "[loader]") {
  const TempFolder folder;
  const Index index = make_index(folder / "index", {synthetic_source("known", Role::kLabeled, 2, 5)});
  LoaderOptions options = options_for(40, 2, true);
  options.config.prefetch = 2;
  Loader loader(
      index, [&](int64_t) { return in_row_order(index, 8)(0); }, options);
  std::set<const uint8_t*> buffers;
  Batch batch;
  while (loader.next(batch)) buffers.insert(batch.images.data());
  CHECK(buffers.size() <= 5);  // prefetch, one in hand, and the one exchanged for it
}
