#include "support/tiny_run.h"
#include "uir/pixels/pixels.h"
#include "uir/train/batch_feed.h"
//
#include "support/catch.h"

using namespace uir;

namespace {

constexpr int64_t kBatches = 5, kRows = 3;

Loader loader_of(const Index& index) {
  LoaderOptions options;
  options.num_batches = kBatches;
  return Loader(
      index,
      [](int64_t batch) {
        std::vector<Sample> samples;
        for (int64_t i = 0; i < kRows; ++i) samples.push_back({batch * kRows + i, batch, 0});
        return samples;
      },
      options);
}

}  // namespace

TEST_CASE("batch feed: on a CPU every batch once, in order, where the loader left it") {
  const TempFolder folder;
  build_index(tiny_data(), folder / "index", 1);
  const Index index = Index::open(folder / "index");
  Loader expected = loader_of(index), loader = loader_of(index);
  BatchFeed feed(loader, at::kCPU);
  Batch batch;
  for (int64_t i = 0; i < kBatches; ++i) {
    feed.next();
    REQUIRE(expected.next(batch));
    CHECK(feed.batch().rows == batch.rows);
    CHECK(feed.batch().images == batch.images);
    const at::Tensor images = feed.images().contiguous().cpu();
    REQUIRE(images.sizes() == at::IntArrayRef({kRows, kImageSize, kImageSize, 3}));
    CHECK(std::equal(batch.images.begin(), batch.images.end(), images.data_ptr<uint8_t>()));
    feed.prefetch();
  }
}
