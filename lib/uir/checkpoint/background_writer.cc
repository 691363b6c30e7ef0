#include "uir/checkpoint/background_writer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"

namespace uir {
namespace {

at::Tensor copy_of(const at::Tensor& tensor) {
  return at::empty(tensor.sizes(), tensor.options().device(at::kCPU)).copy_(tensor.detach());
}

}  // namespace

CheckpointContents snapshot(CheckpointContents contents) {
  const at::NoGradGuard no_grad;
  for (NamedTensors* tensors :
       {&contents.model, &contents.optimizer, &contents.state, &contents.centers_optimizer}) {
    for (auto& [name, tensor] : *tensors) tensor = copy_of(tensor);
  }
  contents.centers = copy_of(contents.centers);
  return contents;
}

BackgroundWriter::BackgroundWriter(fs::path root, int64_t keep_last, RankGroup ranks)
    : root_(std::move(root)), keep_last_(keep_last), ranks_(std::move(ranks)) {}

BackgroundWriter::~BackgroundWriter() {
  try {
    wait();
  } catch (const std::exception& e) {
    log_warning("the last checkpoint was not saved: ", e.what());
  }
}

void BackgroundWriter::start(CheckpointContents contents) {
  wait();
  thread_ = std::thread([this, contents = std::move(contents)] {
    try {
      write(contents);
    } catch (...) {
      error_ = std::current_exception();
      failed_ = true;
    }
  });
}

void BackgroundWriter::wait() {
  if (thread_.joinable()) thread_.join();
  failed_ = false;
  if (const std::exception_ptr error = std::exchange(error_, nullptr)) std::rethrow_exception(error);
}

void BackgroundWriter::write(const CheckpointContents& contents) {
  const fs::path folder = write_checkpoint(root_, contents, ranks_);
  if (ranks_.rank > 0) return;
  prune_checkpoints(root_, keep_last_);
  log_info("saved ", folder.string());
}

}  // namespace uir
