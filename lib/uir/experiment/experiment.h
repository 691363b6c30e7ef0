// One experiment: every module's config in one struct, loaded from one YAML file that all programs read.
// Free of LibTorch. Errors: kConfig with all problems of the file at once.
#pragma once

#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/config/visitor.h"
#include "uir/data/config.h"
#include "uir/embed/config.h"
#include "uir/eval/config.h"
#include "uir/eval/known_sources.h"
#include "uir/head/config.h"
#include "uir/network/config.h"
#include "uir/submission/config.h"
#include "uir/train/config.h"

namespace uir {

struct PathsConfig {
  ConfigPath data_root{"."};
  ConfigPath run;
  ConfigPath index;
};
template <class Visitor>
void describe(Visitor& v, PathsConfig& c) {
  v.field("data_root", c.data_root, "Folder that the paths of data and pairs lists are relative to.");
  v.field("run", c.run, "Folder of this run: log, checkpoints, embeddings, reports.", Required{});
  v.field("index", c.index, "Folder of the index, to share it among runs; empty: index in the run folder.");
}

struct Experiment {
  PathsConfig paths;
  DataConfig data;
  ModelConfig model;
  HeadConfig head;
  UirConfig uir;
  TrainConfig train;
  ExtractConfig extract;
  SubmissionConfig submission;
  EvalConfig eval;

  // Where things lie in the run folder.
  fs::path run_folder() const { return paths.run.value; }
  fs::path index_folder() const { return paths.index.value; }
  fs::path checkpoints_folder() const { return run_folder() / "checkpoints"; }
  fs::path embeddings_folder(const std::string& set) const {
    return embeddings_folder_of_run(run_folder(), set);
  }
  fs::path report_folder() const { return run_folder() / "report"; }
};
template <class Visitor>
void describe(Visitor& v, Experiment& c) {
  v.section("paths", c.paths, "Where data lies and results go.", MayDifferOnResume{});
  v.section("data", c.data, "The faces.");
  v.section("model", c.model, "The network.");
  v.section("head", c.head, "Class centers and the loss on labeled faces.");
  v.section("uir", c.uir, "The loss on unlabeled faces.");
  v.section("train", c.train, "Training.");
  v.section("extract", c.extract, "Embedding extraction.", MayDifferOnResume{});
  v.section("submission", c.submission, "Challenge files (uir-extract --format).");
  v.section("eval", c.eval, "Evaluation.", MayDifferOnResume{});
}

// The sources of the data section, as protocols ask of them. Sets must be sources unless there is none, or
// models bring embeddings from elsewhere.
KnownSources known_sources(const Experiment& experiment);

// Reads the file, applies "a.b=v" overrides, makes paths absolute and checks what spans modules.
Experiment load_experiment(const fs::path& file, const std::vector<std::string>& overrides);
// The same from text; relative paths are relative to `folder`, those of overrides to the current folder.
Experiment parse_experiment(const std::string& text, const std::string& name, const fs::path& folder,
                            const std::vector<std::string>& overrides = {});

std::string resolved_config(const Experiment& experiment);  // YAML with every option
std::string config_reference();                             // Markdown

}  // namespace uir
