// Extraction in int8: where it cannot be, and what a run keeps of it.
#include "uir/pipeline/int8_extraction.h"

#include <fstream>

#include "support/tiny_run.h"
//
#include "support/catch.h"
#include "support/errors.h"

using namespace uir;

namespace {

// Embeddings are the image's mean colours; in int8 they are turned towards `towards`.
struct Stand {
  int64_t found = 0;

  Int8Network network(double towards) {
    const auto colours = [](const at::Tensor& faces) { return faces.to(at::kFloat).mean({1, 2}) + 1; };
    return {"weights",
            [this](const at::Tensor& faces) {
              ++found;
              CHECK(faces.sizes() == at::IntArrayRef({12, 112, 112, 3}));
              return Int8Ranges{{"conv", {1.5F, 0.1F}}};
            },
            colours,
            [=](const Int8Ranges& ranges) {
              CHECK(ranges == Int8Ranges{{"conv", {1.5F, 0.1F}}});
              return [=](const at::Tensor& faces) {
                at::Tensor turned = colours(faces);
                turned.select(1, 0).add_(towards);
                return turned;
              };
            }};
  }
};

}  // namespace

TEST_CASE("int8 is refused by name where it cannot be computed", "[int8]") {
  CHECK_NOTHROW(check_int8(at::kCPU, true));
  for (const auto& [device, runs, remedy] : std::vector<std::tuple<at::Device, bool, std::string>>{
           {at::kCPU, false, "AVX-512 VNNI"}, {at::Device("cuda:0"), true, "train.device: cpu"}}) {
    const auto error = error_of([&] { check_int8(device, runs); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kConfig);
    CHECK_THAT(error->what(), contains_text("extract.precision: int8") && contains_text(remedy));
  }
}

TEST_CASE("a run finds its ranges once", "[int8]") {
  const TempFolder folder;
  build_index(tiny_data(), folder / "index", 1);
  const Index index = Index::open(folder / "index");
  Experiment experiment;
  experiment.paths.run.value = folder / "run";
  Stand stand;
  const auto embedding = [&](double towards) {
    return int8_embedding(experiment, stand.network(towards), own_faces(index, {"test"}), Communicator());
  };
  const auto error = error_of([&] { embedding(1000); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  CHECK_THAT(error->what(), contains_text("cosine to float32 of 12 faces") && contains_text("use train"));
  CHECK_FALSE(fs::exists(folder / "run" / "int8.json"));
  CHECK(stand.found == 1);
  const Json manifest = embedding(1).manifest;
  CHECK(stand.found == 2);
  CHECK(manifest["precision"] == "int8");
  CHECK(embedding(1000).manifest == manifest);  // decided
  CHECK(stand.found == 2);
  std::ofstream(folder / "run" / "int8.json") << "{";
  CHECK(embedding(1).manifest == manifest);
  CHECK(stand.found == 3);
}
