#include "uir/checkpoint/background_writer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <cmath>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/stopwatch.h"

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

BackgroundWriter::BackgroundWriter(fs::path root, int64_t keep_last, RankGroup ranks, double stop_grace_s)
    : root_(std::move(root)), keep_last_(keep_last), ranks_(std::move(ranks)), stop_grace_s_(stop_grace_s) {}

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
  const Stopwatch time;
  const fs::path folder = write_checkpoint(root_, contents, ranks_);
  if (ranks_.rank > 0) return;
  const double seconds = time.seconds();
  prune_checkpoints(root_, keep_last_);
  log_info("saved ", folder.string());
  warn_if_too_slow(seconds);
}

// Twice: a stop may come while one is being written, and then another one follows.
void BackgroundWriter::warn_if_too_slow(double seconds) {
  if (warned_ || stop_grace_s_ <= 0 || seconds <= stop_grace_s_) return;
  warned_ = true;
  log_warning("a checkpoint takes ", std::lround(std::ceil(seconds)), " s, but the launcher kills its ranks ",
              stop_grace_s_,
              " s after it told them to stop, unless it was told to wait longer: start torchrun with "
              "--shutdown-timeout ",
              std::lround(std::ceil(2 * seconds + stop_grace_s_)),
              " or more, else what was trained since the last checkpoint is lost");
}

}  // namespace uir
