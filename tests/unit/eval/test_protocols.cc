#include "uir/eval/protocols.h"

#include <set>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/eval/config.h"
#include "uir/eval/context.h"
#include "uir/report/report.h"

namespace uir {
namespace {

using Lines = std::vector<std::string>;

// Two sources of images, one of which holds faces out, and a .bin source.
KnownSources sources() { return {{{"faces", true}, {"crowd", false}, {"lfw", false, "lfw.bin"}}, true}; }
const KnownSources kElsewhere({}, false);

// As long as no option is wrong by itself, these name existing sets.
template <class Protocol>
void name_sets(Protocol& p) {
  if constexpr (requires { p.set; }) p.set = "faces";
  if constexpr (requires { p.distractors; }) p.probes = "faces", p.distractors = "crowd";
  if constexpr (requires { p.known; }) p.known = {"faces.held_out"}, p.strangers = {"crowd"};
  if constexpr (requires { p.submission_in; }) p.gallery.value = "gallery.txt";
  if constexpr (requires { p.pairs; }) p.pairs.value = "pairs.txt";
  if constexpr (requires { p.hypothesis; }) p.reference = {{"truth.csv"}}, p.hypothesis = {{"film.csv"}};
}

const char* kAbsent = "set: 'nobody' is no source of the data section";

}  // namespace

TEST_CASE("the protocols of the list have names of their own, and no problem with sets that exist") {
  std::set<std::string_view> types;
  for_each_alternative<AnyProtocol>([&]<class Protocol>() {
    Protocol protocol;
    name_sets(protocol);
    INFO(Protocol::kType);
    CHECK(types.insert(Protocol::kType).second);
    CHECK(problems_of(protocol, sources()) == Lines{});
    CHECK(problems_of(protocol, kElsewhere) == Lines{});
    CHECK(problems_of(ProtocolConfig{"p", protocol}, sources()) == Lines{});
    for (const std::string& set : sets_of(protocol)) CHECK_FALSE(set.empty());
    if constexpr (requires { protocol.set; }) {
      CHECK(sets_of(protocol) == Lines{"faces"});
      protocol.set = "nobody";
      CHECK(problems_of(protocol, sources()) == Lines{kAbsent});
      CHECK(problems_of(ProtocolConfig{"p", protocol}, sources()) == Lines{kAbsent});
      CHECK(problems_of(protocol, kElsewhere) == Lines{});
      protocol.set = "crowd.held_out";
      CHECK(problems_of(protocol, sources()) ==
            Lines{"set: 'crowd.held_out': the source has held_out: 0, so nothing is held out"});
      protocol.set = "faces.held_out";
      CHECK(problems_of(protocol, sources()) == Lines{});
    }
  });
  CHECK(types.size() == std::variant_size_v<AnyProtocol>);
}

TEST_CASE("which protocols search through pairs, and which of them continue where they were stopped") {
  CHECK(searches_pairs({"p", TrillionPairsProtocol{}}));
  CHECK(searches_pairs({"p", MegaFaceProtocol{}}));
  CHECK(searches_pairs({"p", VideoRetrievalProtocol{}}));
  CHECK_FALSE(searches_pairs({"p", VerificationProtocol{}}));
  CHECK_FALSE(searches_pairs({"p", IjbIdentificationProtocol{}}));
  CHECK(is_restartable({"p", TrillionPairsProtocol{}}));
  CHECK_FALSE(is_restartable({"p", MegaFaceProtocol{}}));
  CHECK_FALSE(is_restartable({"p", SeparationProtocol{}}));
}

TEST_CASE("verification: pairs come from one place") {
  const auto problems = [](const char* set, const char* pairs, const char* bin) {
    VerificationProtocol p;
    p.set = set;
    p.pairs.value = pairs;
    p.bin.value = bin;
    return problems_of(p, sources());
  };
  CHECK(problems("lfw", "", "") == Lines{});
  CHECK(problems("crowd", "", "other.bin") == Lines{});
  CHECK(problems("crowd", "", "") == Lines{"pairs: missing (only a .bin source brings its own)"});
  CHECK(problems("lfw", "p.txt", "") == Lines{"pairs: a .bin source brings its own"});
  CHECK(problems("lfw", "", "other.bin") ==
        Lines{"bin: the set is a .bin source, which brings its own pairs"});
  CHECK(problems("crowd", "p.txt", "other.bin") == Lines{"pairs and bin exclude each other"});
  CHECK(problems("nobody", "", "") == Lines{kAbsent});
  // What is held out of a source is not the source: its pairs are looked for where it is opened.
  CHECK(problems("faces.held_out", "", "") == Lines{});
}

TEST_CASE("verification: without a list the .bin source's file is read, and nothing else is guessed") {
  VerificationProtocol p;
  p.set = "lfw";
  CHECK_THAT(brute::error_of(ErrorKind::kMissingInput, [&] { pairs_of(p, sources(), {}); }),
             contains_text("lfw.bin"));
  CHECK_THAT(brute::error_of(ErrorKind::kConfig, [&] { pairs_of(p, kElsewhere, {}); }),
             contains_text("neither pairs nor bin is given"));
}

TEST_CASE("open set and trillion pairs: lists and rates") {
  OpenSetProtocol open;
  open.set = "faces";
  open.gallery.value = "gallery.txt";
  CHECK(problems_of(open, sources()) == Lines{"gallery and probe are given together or not at all"});
  open.probe.value = "probe.txt";
  CHECK(problems_of(open, sources()) == Lines{});
  TrillionPairsProtocol pairs;
  pairs.set = "faces";
  pairs.fpr.clear();
  CHECK(problems_of(pairs, sources()) == Lines{});
  pairs.identification_fpr.clear();
  CHECK(problems_of(pairs, sources()) == Lines{"names no rate"});
}

TEST_CASE("megaface and rejection: every set is named by its option") {
  MegaFaceProtocol megaface;
  megaface.probes = "a";
  megaface.distractors = "b";
  CHECK(sets_of(megaface) == Lines{"a", "b"});
  CHECK(problems_of(megaface, sources()) == Lines{"probes: 'a' is no source of the data section",
                                                  "distractors: 'b' is no source of the data section"});
  megaface.probes = megaface.distractors = "faces";
  CHECK(problems_of(megaface, sources()) == Lines{"probes and distractors are the same set"});
  RejectionProtocol rejection;
  rejection.known = {"faces.held_out", "crowd.held_out"};
  rejection.strangers = {"nobody"};
  CHECK(sets_of(rejection) == Lines{"faces.held_out", "crowd.held_out", "nobody"});
  CHECK(problems_of(rejection, sources()) ==
        Lines{"known: 'crowd.held_out': the source has held_out: 0, so nothing is held out",
              "strangers: 'nobody' is no source of the data section"});
  CHECK(sets_of(SeparationProtocol{}) == Lines{"class_centers"});
}

TEST_CASE("protocols over videos: rates, weights of frames, and where the ranking comes from") {
  VideoVerificationProtocol verification;
  verification.set = "faces";
  verification.fpr.clear();
  verification.frames.aggregation = Aggregation::kQualityWeighted;
  CHECK(problems_of(verification, sources()) ==
        Lines{"names no rate", "quality_weighted needs a list quality"});
  verification.frames = {Aggregation::kMean, {"q.txt"}, false};
  CHECK(problems_of(verification, sources()).back() == "quality is for aggregation: quality_weighted");

  VideoRetrievalProtocol retrieval;
  CHECK(problems_of(retrieval, sources()) == Lines{"needs set and gallery, or submission_in"});
  retrieval.set = "nobody";
  retrieval.gallery_set = "noone";
  retrieval.gallery.value = "gallery.txt";
  retrieval.submission = "../map.txt";
  CHECK(sets_of(retrieval) == Lines{"nobody", "noone"});
  CHECK(problems_of(retrieval, sources()) ==
        Lines{"submission: '../map.txt' is no name of a file in the report folder", kAbsent,
              "gallery_set: 'noone' is no source of the data section"});
  retrieval.submission.clear();
  retrieval.submission_in.value = "theirs.txt";
  CHECK(sets_of(retrieval) == Lines{});
  CHECK(problems_of(retrieval, sources()) ==
        Lines{"submission_in needs a ground_truth to be measured against",
              "set and submission_in exclude each other"});
}

TEST_CASE("timeline: lists are all that it reads") {
  TimelineProtocol timeline;
  CHECK(sets_of(timeline) == Lines{});
  CHECK(problems_of(timeline, sources()) == Lines{"reference: names no file", "hypothesis: names no file"});
}

TEST_CASE(
    "a protocol is checked and measured with a model's files; errors name it, results say what they mean") {
  TempFolder folder;
  const EvalModel model{
      "ours", {}, {{"faces", {(folder / "f.npy").string()}, {}, {}, {(folder / "l.txt").string()}, ""}}};
  const std::vector<float> values{1, 0, 0, 1, 0.6F, 0.8F};
  std::string bytes = npy_header(3, 2);
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  write_file_atomically(folder / "f.npy", bytes);
  write_file_atomically(folder / "l.txt", "0\n1\n1\n");
  EmbeddingSets sets(model, {}, 1);
  ProtocolConfig config{"all", AllPairsProtocol{"faces", {0.5}, true}};
  check_sets(config, sets);
  const KnownSources known = kElsewhere;
  EvalContext context{sets, known, {}, (folder / "report" / "").string()};
  CHECK(context.file("all", ".txt") == folder / "report" / "all.txt");
  const std::vector<ProtocolResult> results = measure(config, context);
  REQUIRE(results.size() == 1);
  CHECK(results[0].name == "all");
  CHECK(results[0].type == "all_pairs");
  CHECK(results[0].value_of("auc") == 1);
  CHECK(meaning_of("auc", results[0].facts.meanings).better == Better::kHigher);
  CHECK_THAT(results[0].description, contains_text("(no flip test)"));
  CHECK(context.states.empty());

  std::get<AllPairsProtocol>(config.kind).set = "others";
  const std::string absent = brute::error_of(ErrorKind::kConfig, [&] { check_sets(config, sets); });
  CHECK_THAT(absent, contains_text("protocol all"));
  CHECK_THAT(absent, contains_text("names no file for it and no run"));
  CHECK(brute::error_of(ErrorKind::kConfig, [&] { measure(config, context); }) == absent);
}

}  // namespace uir
