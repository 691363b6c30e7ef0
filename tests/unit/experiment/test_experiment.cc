#include "support/catch.h"
#include "support/errors.h"
#include "uir/experiment/experiment.h"

using namespace uir;

namespace {

const std::string kSmall = R"(
paths: {data_root: data, run: runs/a}
data:
  sources:
    - {name: train, role: labeled, type: list, list: l.txt, root: faces, format: path_label, held_out: 0.1}
    - {name: web, role: unlabeled, type: folder, root: /abs/web}
    - {name: lfw, role: test, type: bin, file: lfw.bin}
eval:
  protocols:
    - {name: lfw, type: verification, set: lfw}
    - {name: reject, type: rejection, known: [train.held_out], strangers: [web]}
)";

std::string message(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const auto error = error_of([&] { parse_experiment(text, "e.yaml", "/cfg", overrides); });
  return error ? error->what() : "";
}

}  // namespace

TEST_CASE("paths are relative to the file or to the data root") {
  const Experiment e = parse_experiment(kSmall, "e.yaml", "/cfg");
  CHECK(e.run_folder() == "/cfg/runs/a");
  CHECK(e.index_folder() == "/cfg/runs/a/index");
  CHECK(std::get<ListSource>(e.data.sources[0].kind).list.value == "/cfg/data/l.txt");
  CHECK(std::get<FolderSource>(e.data.sources[1].kind).root.value == "/abs/web");
  const Experiment moved = parse_experiment(kSmall, "e.yaml", "/cfg", {"paths.data_root=/d"});
  CHECK(std::get<BinSource>(moved.data.sources[2].kind).file.value == "/d/lfw.bin");
}

TEST_CASE("paths that overrides give are relative to the current folder") {
  const fs::path here = fs::current_path();
  const Experiment e = parse_experiment(kSmall, "e.yaml", "/cfg",
                                        {"paths.run=mine", "data.sources.0.list=./here.txt", "paths.index=''",
                                         "eval.models=[{name: m, run: ../theirs}]"});
  CHECK(e.run_folder() == here / "mine");
  CHECK(e.index_folder() == here / "mine/index");
  CHECK(std::get<ListSource>(e.data.sources[0].kind).list.value == here / "here.txt");
  CHECK(std::get<ListSource>(e.data.sources[0].kind).root.value ==
        "/cfg/data/faces");  // of the file, as before
  CHECK(e.eval.models[0].run.value == (here / "../theirs").lexically_normal());
  const Experiment moved = parse_experiment(kSmall, "e.yaml", "/cfg", {"paths.data_root=d"});
  CHECK(std::get<BinSource>(moved.data.sources[2].kind).file.value == here / "d/lfw.bin");
}

TEST_CASE("the resolved copy gives the same experiment from any folder") {
  const std::string text = resolved_config(parse_experiment(kSmall, "e.yaml", "/cfg"));
  CHECK(resolved_config(parse_experiment(text, "copy.yaml", "/elsewhere")) == text);
}

TEST_CASE("checks that span sections") {
  CHECK(message(kSmall).empty());
  CHECK(message(kSmall, {"data.sources.1.name=train"}).find("another source has this name") !=
        std::string::npos);
  CHECK(message(kSmall, {"data.sources.1.name=a/b"}).find("letters, digits, _ and - only") !=
        std::string::npos);
  CHECK(message(kSmall, {"data.sources.2.role=labeled"}).find("a .bin source has role test") !=
        std::string::npos);
  CHECK(message(kSmall, {"data.sources.0.held_out=0"}).find("nothing is held out") != std::string::npos);
  CHECK(message(kSmall, {"train.batch.accumulation=5"}).find("must divide labeled 96") != std::string::npos);
  CHECK(message(kSmall, {"model.type=iresnet", "model.depth=42"}).find("model.depth: is 42") !=
        std::string::npos);
  CHECK(message(kSmall, {"train.verification.protocols=[reject]"})
            .find("'reject' is no protocol of type verification or all_pairs") != std::string::npos);
  CHECK(message(kSmall, {"train.checkpoint.best_by=lfw"})
            .find("best_by: 'lfw' is none of train.verification.protocols") != std::string::npos);
  CHECK(message(kSmall, {"train.checkpoint.best_by=lfw", "train.verification.protocols=[lfw]"}).empty());
  CHECK(message(kSmall, {"eval.protocols.0.set=lwf"}).find("'lwf' is no source") != std::string::npos);
  CHECK(message(kSmall, {"train.cuda_graphs=true", "train.ranks.batch_norm=synchronized"})
            .find("train.cuda_graphs: ") != std::string::npos);
  CHECK(message(kSmall, {"train.device=gpu"}).find("train.device: is 'gpu'") != std::string::npos);
  CHECK(message("data: {}") == "e.yaml: paths.run: missing");
}

TEST_CASE("an experiment that only evaluates needs no data section") {
  CHECK(message("paths: {run: r}\neval: {protocols: [{name: a, type: all_pairs, set: anything}]}").empty());
}

TEST_CASE("models to compare: their sets are checked where they are opened, their names here") {
  const std::string text = R"(
paths: {run: r}
data: {sources: [{name: train, role: labeled, type: folder, root: faces}]}
eval:
  models:
    - {name: plain, run: runs/plain}
    - {name: theirs, sets: [{set: lfw, features: f.npy, items: l.txt}]}
  protocols: [{name: a, type: all_pairs, set: lfw}]
)";
  CHECK(message(text).empty());
  const Experiment e = parse_experiment(text, "e.yaml", "/cfg");
  CHECK(e.eval.models[0].run.value == "/cfg/runs/plain");
  CHECK(e.eval.models[1].sets[0].features.value == "/cfg/f.npy");
  CHECK(resolved_config(parse_experiment(resolved_config(e), "copy.yaml", "/elsewhere")) ==
        resolved_config(e));
  CHECK(message(text, {"eval.models.1.name=plain"}).find("another model has this name") != std::string::npos);
  CHECK(message(text, {"eval.models.1.name=a/b"}).find("letters, digits, _ and - only") != std::string::npos);
  CHECK(message(text, {"eval.models.0.run=''"}).find("needs a run or sets") != std::string::npos);
}

TEST_CASE("a verification protocol has one place that its pairs come from") {
  const auto says = [](const std::string& what, const std::vector<std::string>& overrides) {
    return message(kSmall, overrides).find(what) != std::string::npos;
  };
  CHECK(says("pairs: a .bin source brings its own", {"eval.protocols.0.pairs=p.txt"}));
  CHECK(says("bin: the set is a .bin source", {"eval.protocols.0.bin=other.bin"}));
  const std::string other_set = "eval.protocols.0.set=train.held_out";
  CHECK(message(kSmall, {other_set, "eval.protocols.0.bin=lfw.bin"}).empty());
  CHECK(
      message(kSmall, {other_set, "eval.protocols.0.pairs=p.txt", "eval.protocols.0.format=calfw"}).empty());
  CHECK(says("pairs and bin exclude each other",
             {other_set, "eval.protocols.0.bin=lfw.bin", "eval.protocols.0.pairs=p.txt"}));
  CHECK(says("format", {other_set, "eval.protocols.0.pairs=p.txt", "eval.protocols.0.format=guess"}));
}

TEST_CASE("megaface: two sets, and names are checked") {
  const std::string text = R"(
paths: {run: r, data_root: d}
eval:
  protocols: [{name: m, type: megaface, probes: a, distractors: b, probe_noises: n.txt, distractor_counts: [10, 100]}]
)";
  const Experiment e = parse_experiment(text, "e.yaml", "/cfg");
  const auto& protocol = std::get<MegaFaceProtocol>(e.eval.protocols[0].kind);
  CHECK(protocol.probe_noises.value == "/cfg/d/n.txt");
  CHECK(protocol.distractor_counts == std::vector<int64_t>{10, 100});
  CHECK(resolved_config(parse_experiment(resolved_config(e), "copy.yaml", "/elsewhere")) ==
        resolved_config(e));
  CHECK(message(text, {"eval.protocols.0.distractors=a"}).find("are the same set") != std::string::npos);
  CHECK(message(text, {"eval.protocols.0.ranks=[0]"}).find("at least 1") != std::string::npos);
  CHECK(message(text, {"eval.protocols.0.far=[2]"}).find("from 0 to 1") != std::string::npos);
}

TEST_CASE("protocols over videos: what they need, and what excludes itself") {
  const std::string text = R"(
paths: {run: r}
data:
  sources:
    - {name: clips, role: test, type: videos, root: clips, list: train.txt, format: name_label, max_frames: 20}
    - {name: lfr, role: test, type: frames, root: faces, list: filelist.txt}
eval:
  protocols:
    - {name: lfr, type: video_verification, set: lfr, labels: labels.txt}
    - {name: map, type: video_retrieval, set: clips, gallery: g.txt, ground_truth: t.txt, submission: map.txt}
    - {name: theirs, type: video_retrieval, ground_truth: t.txt, submission_in: theirs.txt}
)";
  const Experiment e = parse_experiment(text, "e.yaml", "/cfg");
  const auto& verification = std::get<VideoVerificationProtocol>(e.eval.protocols[0].kind);
  CHECK(verification.labels.value == "/cfg/labels.txt");
  CHECK(verification.fpr == std::vector<double>{1e-4});
  CHECK_FALSE(verification.frames.flip);
  CHECK(std::get<VideoRetrievalProtocol>(e.eval.protocols[2].kind).submission_in.value == "/cfg/theirs.txt");
  CHECK(message(text).empty());
  const std::string first = "eval.protocols.0.", second = "eval.protocols.1.", third = "eval.protocols.2.";
  CHECK_THAT(message(text, {first + "set=clipz"}), contains_text("'clipz' is no source"));
  CHECK_THAT(message(text, {first + "aggregation=quality_weighted"}), contains_text("needs a list quality"));
  CHECK_THAT(message(text, {first + "quality=q.tsv"}), contains_text("quality is for"));
  CHECK_THAT(message(text, {first + "fpr=[]"}), contains_text("names no rate"));
  CHECK_THAT(message(text, {second + "gallery=''"}), contains_text("needs set and gallery"));
  CHECK_THAT(message(text, {second + "submission=../map.txt"}), contains_text("no name of a file"));
  CHECK_THAT(message(text, {second + "top=0"}), contains_text("at least 1"));
  CHECK_THAT(message(text, {third + "ground_truth=''"}), contains_text("needs a ground_truth"));
  CHECK_THAT(message(text, {third + "set=clips"}), contains_text("exclude each other"));
  CHECK_THAT(message(text, {"submission.suffix=a/b"}), contains_text("submission.suffix"));
  CHECK_THAT(message(text, {"submission.aggregation=quality_weighted"}),
             contains_text("needs a list quality"));
}

TEST_CASE("timeline: lists of files, in the data root and beside the config; no set, source or model") {
  const std::string text =
      "paths: {run: r, data_root: d}\neval: {protocols: [{name: film, type: timeline, reference: [a.csv, "
      "/b.csv], "
      "hypothesis: [ours.csv], spans: s.uem}]}";
  const Experiment e = parse_experiment(text, "e.yaml", "/cfg");
  const auto& protocol = std::get<TimelineProtocol>(e.eval.protocols[0].kind);
  CHECK(protocol.reference == std::vector<DataPath>{{"/cfg/d/a.csv"}, {"/b.csv"}});
  CHECK(protocol.hypothesis == std::vector<ConfigPath>{{"/cfg/ours.csv"}});
  CHECK(protocol.spans.value == "/cfg/d/s.uem");
  CHECK(resolved_config(parse_experiment(resolved_config(e), "copy.yaml", "/elsewhere")) ==
        resolved_config(e));
  CHECK_THAT(message(text, {"eval.protocols.0.hypothesis=[]"}), contains_text("hypothesis: names no file"));
  CHECK_THAT(message(text, {"eval.protocols.0.collar=-1"}), contains_text("from 0 to 3600"));
}

TEST_CASE("IJB: folders in the data root, benchmarks and properties of variants by name") {
  const auto with = [](const std::string& protocol) {
    return "paths: {data_root: data, run: r}\neval: {protocols: [{name: a, set: s, " + protocol + "}]}";
  };
  const Experiment e = parse_experiment(
      with("type: ijb_verification, benchmark: ijbb, meta: IJBB/meta, variants: [flip, norm_kept, score]"),
      "e.yaml", "/cfg");
  const auto& verification = std::get<IjbVerificationProtocol>(e.eval.protocols[0].kind);
  CHECK(verification.benchmark == IjbBenchmark::kIjbb);
  CHECK(verification.meta.value == "/cfg/data/IJBB/meta");
  CHECK(verification.variants ==
        std::vector{TemplateProperty::kFlip, TemplateProperty::kNormKept, TemplateProperty::kScore});
  CHECK(verification.far.size() == 6);
  CHECK(message(with("type: ijb_verification, benchmark: ijba, meta: m")).find("expected ijbb | ijbc") !=
        std::string::npos);
  CHECK(message(with("type: ijb_verification, benchmark: ijbc")).find("meta: missing") != std::string::npos);
  CHECK(message(with("type: ijb_identification, benchmark: ijbc, meta: m, fpir: [2]")).find("from 0 to 1") !=
        std::string::npos);
  CHECK(message(with("type: ijb_identification, benchmark: ijbc, meta: m, flip: false")).empty());
}

TEST_CASE("every list of a protocol refuses repeated values, and rates above 1") {
  const auto says = [](const std::string& protocol, const std::string& list) {
    return message("paths: {run: r}\neval:\n  protocols: [{name: a, " + protocol + ", " + list + "}]");
  };
  const std::string ijb = "set: s, benchmark: ijbc, meta: m";
  const std::vector<std::array<std::string, 2>> rates{
      {"type: all_pairs, set: s", "far"},
      {"type: open_set, set: s", "far"},
      {"type: megaface, probes: p, distractors: d", "far"},
      {"type: video_verification, set: s", "fpr"},
      {"type: ijb_verification, " + ijb, "far"},
      {"type: ijb_identification, " + ijb, "fpir"},
      {"type: trillion_pairs, set: s", "fpr"},
      {"type: trillion_pairs, set: s", "identification_fpr"},
      {"type: rejection, known: [a], strangers: [b]", "keep"}};
  for (const auto& [protocol, option] : rates) {
    CAPTURE(protocol, option);
    const std::string place = "e.yaml:3:", name = "eval.protocols.0." + option + ": is ";
    CHECK(says(protocol, option + ": [0.5, 0.1]").empty());
    const std::string twice = says(protocol, option + ": [0.1, 0.5, 1e-1]"),
                      large = says(protocol, option + ": [2]");
    CHECK(twice.starts_with(place));
    CHECK_THAT(twice, contains_text(name + "[0.1, 0.5, 0.1], expected"));
    CHECK_THAT(twice, contains_text("no value twice"));
    CHECK_THAT(large, contains_text(name + "[2], expected"));
  }
  const std::string megaface = rates[2][0];
  CHECK_THAT(says(megaface, "ranks: [10, 1, 10]"), contains_text("ranks: is [10, 1, 10], expected"));
  CHECK_THAT(says(megaface, "distractor_counts: [10, 10]"), contains_text("distractor_counts: is [10, 10]"));
  CHECK_THAT(says("type: ijb_verification, " + ijb, "variants: [flip, flip]"),
             contains_text("variants: is [flip, flip]"));
  CHECK_THAT(says("type: rejection, strangers: [b]", "known: [a, a]"), contains_text("known: is [a, a]"));
  CHECK_THAT(says("type: rejection, known: [a]", "strangers: [b, b]"), contains_text("strangers: is [b, b]"));
}
