// A run of the trainer over tiny_run.h in a folder of its own; the data is shared. Torch comes first
// (support/catch.h).
#pragma once

#include <ATen/Context.h>

#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/tiny_run.h"
#include "uir/train/trainer.h"

namespace uir {

struct TrainerRun {
  explicit TrainerRun(const Index& index,
                      std::shared_ptr<const Communicator> ranks = std::make_shared<Communicator>(),
                      const fs::path& shared_folder = {})
      : index_(index),
        communicator(std::move(ranks)),
        place(shared_folder.empty() ? fs::path(folder / "") : shared_folder) {
    at::manual_seed(7);
    backbone = std::make_shared<TinyBackbone>();
    config.epochs = 4;
    config.batch = {10, 4, 1};
    config.schedule.base_lr = 0.1;
    config.optimizer.weight_decay = 0;
    config.checkpoint.every_steps = 5;
    config.log_every = 1000;
    uir.weight = 0.5;
  }

  // A new head; the network stays, and moves to the device.
  Trainer trainer() {
    HeadConfig head_config;
    head_config.scale = 8;
    head_config.sample_rate = sample_rate;
    move_to(*backbone, device);
    head = std::make_shared<Head>(head_config, uir.reduction, index_.num_classes(), TinyBackbone::kDim, 3,
                                  communicator, device);
    TrainerParts parts;
    parts.config = config;
    parts.data = tiny_data();
    parts.uir = uir;
    parts.index = index_;
    parts.backbone = backbone;
    parts.head = head;
    parts.communicator = communicator;
    parts.device = device;
    parts.run_folder = place / "run";
    parts.checkpoints_folder = place / "run/checkpoints";
    parts.verify = verify;
    parts.best_by = config.checkpoint.best_by;
    parts.selection_warning = selection_warning;
    parts.stop_requested = stop_requested;
    parts.stop_after_step = stop_after_step;
    create_folders(parts.run_folder);
    return Trainer(std::move(parts));
  }

  std::vector<Json> log() const {
    std::ifstream in(place / "run/log.jsonl");
    std::vector<Json> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
    return lines;
  }

  TempFolder folder;
  Index index_;
  std::shared_ptr<const Communicator> communicator;
  fs::path place;  // of the run folder
  at::Device device = at::kCPU;
  TrainConfig config;
  UirConfig uir;
  double sample_rate = 1;
  std::shared_ptr<TinyBackbone> backbone;
  std::shared_ptr<Head> head;
  VerifyFunction verify;
  std::string selection_warning;
  std::function<bool()> stop_requested;
  int64_t stop_after_step = 0;
};

inline Index tiny_index() {
  static const TempFolder folder;
  static const Index index = [] {
    build_index(tiny_data(), folder / "index", 2);
    return Index::open(folder / "index");
  }();
  return index;
}

}  // namespace uir
