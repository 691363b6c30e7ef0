#include "uir/train/batch_feed.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <optional>
#include <utility>

#include "uir/base/error.h"
#include "uir/device/transfer.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

at::Tensor host_images(Batch& batch) {
  return at::from_blob(batch.images.data(), {batch.size(), kImageSize, kImageSize, 3}, at::kByte);
}

// A stream beside the one that computes. c10's device-independent interface: no header of CUDA is needed.
class SideStream {
 public:
  explicit SideStream(at::Device device)
      : device_(device),
        guard_(device.type()),
        stream_(guard_.getStreamFromGlobalPool(device, /*isHighPriority=*/false)),
        arrived_(device.type()) {}

  at::Tensor bring(const at::Tensor& images) {
    const at::Tensor locked = at::empty(images.sizes(), images.options().pinned_memory(true)).copy_(images);
    const c10::StreamGuard on_side(stream_);
    at::Tensor there = locked.to(device_, /*non_blocking=*/true);
    arrived_.record(stream_);
    return there;
  }
  // What was brought last may be used by the computing stream from now on.
  void hand_over(const at::Tensor& images) {
    const c10::Stream computing = guard_.getStream(device_);
    arrived_.block(computing);
    images.record_stream(computing);
  }

 private:
  at::Device device_;
  c10::impl::VirtualGuardImpl guard_;
  c10::Stream stream_;
  c10::Event arrived_;
};

}  // namespace

struct BatchFeed::Impl {
  Loader& loader;
  at::Device device;
  std::optional<SideStream> side;  // CUDA devices
  Batch batch, ahead;
  at::Tensor images, images_ahead;  // images_ahead: undefined unless a batch is ahead
};

BatchFeed::BatchFeed(Loader& loader, at::Device device) : impl_(new Impl{loader, device, {}, {}, {}, {}, {}}) {
  if (device.is_cuda()) impl_->side.emplace(device);
}
BatchFeed::~BatchFeed() = default;

void BatchFeed::next() {
  Impl& impl = *impl_;
  if (!impl.side) {
    ensure(impl.loader.next(impl.batch), "the loader holds as many batches as there are steps");
    impl.images = upload(host_images(impl.batch), impl.device);
    return;
  }
  if (!impl.images_ahead.defined()) prefetch();
  ensure(impl.images_ahead.defined(), "the loader holds as many batches as there are steps");
  std::swap(impl.batch, impl.ahead);
  impl.images = std::exchange(impl.images_ahead, {});
  impl.side->hand_over(impl.images);
}

const Batch& BatchFeed::batch() const { return impl_->batch; }
const at::Tensor& BatchFeed::images() const { return impl_->images; }

void BatchFeed::prefetch() {
  Impl& impl = *impl_;
  if (impl.side && impl.loader.next(impl.ahead))
    impl.images_ahead = impl.side->bring(host_images(impl.ahead));
}

}  // namespace uir
