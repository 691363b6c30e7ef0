#include "uir/train/network_passes.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <c10/util/Exception.h>

#include <string>
#include <utility>

#include "uir/base/error.h"

namespace uir {
namespace {

// Puts the values where those of the last pass were; the first ones find the place.
void copy_to(at::Tensor& place, const at::Tensor& values) {
  const at::NoGradGuard no_grad;
  if (!place.defined()) place = at::empty_like(values);
  ensure(place.sizes() == values.sizes() && place.scalar_type() == values.scalar_type() &&
             place.device() == values.device(),
         "a recorded pass sees tensors of the same shape, type and device every time");
  place.copy_(values);
}

}  // namespace

NetworkPasses::NetworkPasses(std::shared_ptr<Backbone> network, at::ScalarType pixel_type,
                             std::unique_ptr<StepGraphs> graphs)
    : network_(std::move(network)),
      pixel_type_(pixel_type),
      graphs_(std::move(graphs)),
      tensors_(network_->parameters()) {
  for (const at::Tensor& statistic : network_->buffers()) tensors_.push_back(statistic);
}

at::Tensor NetworkPasses::compute(const at::Tensor& images) const {
  return network_->pass(normalize_pixels(images, pixel_type_));
}

at::Tensor NetworkPasses::forward(const at::Tensor& images) {
  network_->begin_pass(images.size(0));
  if (!graphs_) return (computed_ = compute(images)).detach();
  copy_to(images_, images);
  pass(kForward, [this] {
    computed_ = compute(images_);
    copy_to(embeddings_, computed_.detach());
  });
  return embeddings_;
}

void NetworkPasses::backward(const at::Tensor& gradient) {
  if (!graphs_) return std::exchange(computed_, {}).backward(gradient);
  copy_to(gradient_, gradient);
  pass(kBackward, [this] { std::exchange(computed_, {}).backward(gradient_); });
  ++passes_;
}

void NetworkPasses::pass(Graph graph, const std::function<void()>& work) {
  if (passes_ < kWarmUps) return graphs_->run(work);
  if (passes_ == kWarmUps) record(graph, work);
  ensure(places() == places_, "weights, their gradients and running statistics stay where they are");
  graphs_->launch(graph);
}

void NetworkPasses::record(Graph graph, const std::function<void()>& work) {
  if (graph == kForward) places_ = places();
  try {
    graphs_->record(work);
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    fail(ErrorKind::kConfig, "train.cuda_graphs: the device cannot record the ",
         graph == kForward ? "forward" : "backward", " pass: ", text.substr(0, text.find('\n')),
         "; set it to false");
  }
}

std::vector<const void*> NetworkPasses::places() const {
  std::vector<const void*> places;
  for (const at::Tensor& tensor : tensors_) {
    places.push_back(tensor.data_ptr());
    const at::Tensor& gradient = tensor.grad();
    places.push_back(gradient.defined() ? gradient.data_ptr() : nullptr);
  }
  return places;
}

}  // namespace uir
