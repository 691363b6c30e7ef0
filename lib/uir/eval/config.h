// Config of the evaluation: what is measured, by which protocols. Free of LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/config/visitor.h"
#include "uir/eval/protocols.h"

namespace uir {

// One embedding set of a model in files of any tool (EmbeddingFiles, store/embedding_store.h).
struct SetFiles {
  std::string set;
  ConfigPath features;
  ConfigPath mirrored;
  ConfigPath items;
  ConfigPath labels;
  std::string suffix;
};
template <class Visitor>
void describe(Visitor& v, SetFiles& c) {
  v.field("set", c.set, "Name of the set, as protocols call it.", Required{});
  v.field("features", c.features,
          "Embeddings: float32 .npy, the challenges' .bin, or a folder with one .bin per image (MegaFace).",
          Required{});
  v.field("mirrored", c.mirrored, "The same of the mirror images.");
  v.field("items", c.items,
          "List with one line per row, whose text before the first tab or space names the image; empty: row "
          "numbers.");
  v.field("labels", c.labels, "One integer per row: its identity, -1 for none (a distractor).");
  v.field("suffix", c.suffix, "For a folder of features: an image's file is its item with this behind it.");
}

// Where uir-extract leaves the embeddings of a set.
inline fs::path embeddings_folder_of_run(const fs::path& run, const std::string& set) {
  return run / "embeddings" / set;
}

// What is evaluated: the embeddings of a run, or of another tool.
struct EvalModel {
  std::string name;
  ConfigPath run;
  std::vector<SetFiles> sets;
  ConfigPath calibration{};
  std::vector<std::string> concatenates{};
};
template <class Visitor>
void describe(Visitor& v, EvalModel& c) {
  v.field("name", c.name, "Name in reports.", Required{});
  v.field("run", c.run, "Run folder whose embeddings (uir-extract) are measured.");
  v.list("sets", c.sets, "Sets of embeddings in files of any tool; they come before the run's.");
  v.field("calibration", c.calibration,
          "Its calibration.json (uir-eval calibrate): verification and open_set say what its thresholds do.");
  v.field(
      "concatenates", c.concatenates,
      "Instead of a run and sets: names of other models, whose unit vectors are put one behind the other, "
      "so that a cosine is the mean of theirs.",
      Distinct{});
}

struct EvalConfig {
  std::vector<ProtocolConfig> protocols;
  std::vector<EvalModel> models;
  ConfigPath calibration;
  int64_t threads = 0;
  int64_t memory_mb = 2048;
  std::string device = "auto";
  bool pictures = false;
};
template <class Visitor>
void describe(Visitor& v, EvalConfig& c) {
  v.list("protocols", c.protocols, "The measurements, in the order of the report.");
  v.list("models", c.models, "What is measured and compared; empty: the embeddings of this run.");
  v.field("calibration", c.calibration, "Without models: the calibration.json of this run.");
  v.field("threads", c.threads, "Threads; 0: one per processor.", Between{0, 1024});
  v.field("memory_mb", c.memory_mb,
          "Most MiB that a search through pairs (trillion_pairs, megaface, video_retrieval) takes for its "
          "blocks and what it finds; embeddings and mapped files are not counted. No result depends on it.",
          Between{1, 1 << 24});
  v.field("device", c.device,
          "Where such searches filter pairs: auto, cpu, cuda or cuda:N. auto: CUDA when LibTorch sees a "
          "device. No "
          "result depends on it.");
  v.field(
      "pictures", c.pictures,
      "Pictures of the hardest pairs, and of the strangers most surely taken for somebody (verification, "
      "all_pairs, open_set, rejection), in the folder pictures beside the report, which shows them. They are "
      "faces: who may see them is a matter of the set's licence and of people's privacy.");
}

}  // namespace uir
