#include "uir/network/architecture.h"

#include "support/catch.h"
#include "support/errors.h"

using namespace uir;

TEST_CASE("the architecture's JSON is the one that weights have carried from the start") {
  CHECK(architecture_json({IResNetConfig{.depth = 100, .width = 0.5, .embedding_size = 256}}).dump() ==
        R"({"type":"iresnet","width":0.5,"embedding_size":256,"depth":100})");
  CHECK(architecture_json({MobileFaceNetConfig{.large = true}}).dump() ==
        R"({"type":"mobilefacenet","width":1.0,"embedding_size":512,"large":true})");
}

TEST_CASE("a network is read back from its architecture") {
  for (const ModelConfig& config :
       {ModelConfig{IResNetConfig{.depth = 34, .width = 0.1, .embedding_size = 7}},
        ModelConfig{MobileFaceNetConfig{.large = true, .width = 1.0 / 3, .embedding_size = 128}},
        ModelConfig{}}) {
    CHECK(parse_architecture(architecture_json(config).dump(), "here") == config);
  }
}

TEST_CASE("anything else is refused as data, with the place") {
  for (const char* json : {"[", "{}}", R"({"type": "resnet"})", R"({"type": "iresnet", "depth": 17})",
                           R"({"type": "iresnet", "width": 1e9})", R"({"type": "iresnet", "large": true})"}) {
    INFO(json);
    const auto error = error_of([&] { parse_architecture(json, "weights.safetensors"); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kData);
    CHECK_THAT(error->what(), contains_text("weights.safetensors: architecture"));
  }
}
