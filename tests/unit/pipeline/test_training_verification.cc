#include "uir/pipeline/training_verification.h"

#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "uir/data/index_builder.h"

using namespace uir;

namespace {

Experiment experiment(const std::vector<std::string>& overrides) {
  return parse_experiment(R"(
paths: {run: run}
data:
  sources:
    - {name: people, role: labeled, type: synthetic, identities: 6, images_per_identity: 6, held_out: 0.3}
    - {name: passers_by, role: unlabeled, type: synthetic, identities: 4, images_per_identity: 1, first_identity: 50}
    - {name: test, role: test, type: synthetic, identities: 4, images_per_identity: 1, first_identity: 90}
eval:
  protocols:
    - {name: pairs, type: verification, set: test, pairs: pairs.txt}
    - {name: all_test, type: all_pairs, set: test}
    - {name: held, type: all_pairs, set: people.held_out, far: [0.1]}
    - {name: held_pairs, type: verification, set: people.held_out, pairs: held.txt}
)",
                          "e.yaml", "/cfg", overrides);
}

Selection selection(const std::string& protocols, const std::string& best_by = "") {
  return selection_of(experiment(
      {"train.verification.protocols=[" + protocols + "]", "train.checkpoint.best_by='" + best_by + "'"}));
}

}  // namespace

TEST_CASE("the best checkpoint is picked on held-out images, unless somebody asks for a test set") {
  CHECK(selection("").protocol.empty());
  CHECK(selection("pairs, all_test").protocol.empty());
  CHECK(selection("pairs, held_pairs, held").protocol == "held_pairs");
  CHECK(selection("all_test, held").protocol == "held");
  CHECK(selection("held, held_pairs", "held_pairs").protocol == "held_pairs");
  for (const std::string none : {"", "pairs", "pairs, held"}) CHECK(selection(none).warning.empty());
  const Selection asked = selection("held, pairs", "pairs");
  CHECK(asked.protocol == "pairs");
  CHECK(asked.warning.find("chosen by 'pairs' on the test set 'test'") != std::string::npos);
}

TEST_CASE("all pairs are measured of images with identities, some of one and some of different people") {
  TempFolder folder;
  const auto refusal = [&](const std::string& set, const std::string& identities) {
    const Experiment e = experiment({"train.verification.protocols=[held]", "eval.protocols.2.set=" + set,
                                     "data.sources.0.identities=" + identities});
    build_index(e.data, folder / "index", 1);
    const Index index = Index::open(folder / "index");
    const auto error =
        error_of([&] { training_verification(e, index, Compute{}, std::make_shared<const Communicator>()); });
    if (!error) return std::string("accepted");
    CHECK(error->kind() == ErrorKind::kData);
    return std::string(error->what());
  };
  CHECK(refusal("people.held_out", "6") == "accepted");
  CHECK(refusal("passers_by", "6").find("of set 'passers_by' has no identity") != std::string::npos);
  CHECK(refusal("test", "6").find("set 'test' has 4 images, and no two of one person") != std::string::npos);
  CHECK(refusal("people", "1").find("no two of different people") != std::string::npos);
}
