#include "support/tiny_run.h"
#include "uir/embed/extractor.h"
//
#include "support/catch.h"
#include "uir/data/image_source.h"
#include "uir/pixels/pixels.h"

using namespace uir;

namespace {

std::vector<EmbeddingBlock> blocks_of(const Index& index, const std::vector<int64_t>& rows, int64_t first,
                                      Backbone& backbone, const ExtractOptions& options) {
  std::vector<EmbeddingBlock> blocks;
  embed_rows(index, rows, first, backbone, options, [&](const EmbeddingBlock& block) {
    blocks.push_back(block);
    blocks.back().embeddings = block.embeddings.clone();
    if (block.mirrored.defined()) blocks.back().mirrored = block.mirrored.clone();
  });
  return blocks;
}

}  // namespace

TEST_CASE("embeddings come block by block, in row order, with those of the mirror images") {
  const TempFolder folder;
  build_index(tiny_data(), folder / "index", 1);
  const Index index = Index::open(folder / "index");
  const std::vector<int64_t> rows = index.set_rows("test");
  REQUIRE(rows.size() == 12);
  TinyBackbone backbone;
  ExtractOptions options;
  options.batch = 5;
  const auto blocks = blocks_of(index, rows, 0, backbone, options);
  REQUIRE(blocks.size() == 3);
  CHECK(blocks[2].first == 10);
  CHECK(blocks[2].embeddings.sizes() == at::IntArrayRef({2, TinyBackbone::kDim}));
  CHECK(backbone.is_training());

  SECTION("each row equals the network's answer to its image and to its mirror image") {
    const ImageSource images(index);
    at::Tensor image = at::empty({1, kImageSize, kImageSize, 3}, at::kByte);
    images.load(rows[7], image.data_ptr<uint8_t>());
    const at::NoGradGuard no_grad;
    const at::Tensor alone = backbone.forward(normalize_pixels(image, at::kFloat))[0];
    const at::Tensor mirrored =
        backbone.forward(normalize_pixels(image.flip({2}).contiguous(), at::kFloat))[0];
    CHECK(blocks[1].embeddings[2].allclose(alone, 1e-4, 1e-6));
    CHECK(blocks[1].mirrored[2].allclose(mirrored, 1e-4, 1e-6));
    CHECK_FALSE(alone.allclose(mirrored, 1e-4, 1e-6));
  }
  SECTION("starting in the middle gives the same rows to the last bit") {
    const auto rest = blocks_of(index, rows, 5, backbone, options);
    REQUIRE(rest.size() == 2);
    CHECK(rest[0].embeddings.equal(blocks[1].embeddings));
    CHECK(rest[1].mirrored.equal(blocks[2].mirrored));
  }
}
