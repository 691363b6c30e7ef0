// c10d with Gloo as LibTorch 1.13 and 2.x install it: the one place that includes it. What this module calls
// is the same in both but for the options of the TCP store, the Reducer's arguments and the handler of
// warnings; ProcessGroupGloo derives from ProcessGroup in 1.13 and from Backend in 2.x. Built with 1.13, 2.6
// and 2.15.
#pragma once

#ifndef USE_C10D_GLOO  // LibTorch's own build defines it; the installed header is empty without it
#define USE_C10D_GLOO
#endif

#include <gloo/context.h>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "uir/device/compat.h"

namespace uir {

inline c10::intrusive_ptr<c10d::Store> make_tcp_store(const std::string& host, uint16_t port, bool is_server,
                                                      std::chrono::milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = port;
  options.isServer = is_server;
  options.waitWorkers = false;  // the process group waits, and says who is missing
  options.timeout = timeout;
#if UIR_TORCH_AT_LEAST(2, 4)
  options.useLibUV = false;  // Debian's LibTorch is built without
#endif
  return c10::make_intrusive<c10d::TCPStore>(host, options);
}

// A key whose presence says all; 2.x also takes strings, so the type must be named.
inline void set_flag(c10d::Store& store, const std::string& key) { store.set(key, std::vector<uint8_t>{1}); }

// What runs collectives: one of them per kind of device and group of ranks.
#if UIR_TORCH_AT_LEAST(2, 0)
using CollectiveBackend = c10d::Backend;
#else
using CollectiveBackend = c10d::ProcessGroup;
#endif

// The process group that Reducer takes. nccl: for CUDA tensors; null: Gloo carries them too.
inline c10::intrusive_ptr<c10d::ProcessGroup> as_process_group(
    const c10::intrusive_ptr<c10d::ProcessGroupGloo>& gloo,
    [[maybe_unused]] const c10::intrusive_ptr<CollectiveBackend>& nccl) {
#if UIR_TORCH_AT_LEAST(2, 0)
  using Type = c10d::ProcessGroup::BackendType;
  auto group = c10::make_intrusive<c10d::ProcessGroup>(gloo->getRank(), gloo->getSize());
  group->setBackend(c10::DeviceType::CPU, Type::GLOO, gloo);
  if (nccl) {
    group->setBackend(c10::DeviceType::CUDA, Type::NCCL, nccl);
  } else {
    group->setBackend(c10::DeviceType::CUDA, Type::GLOO, gloo);
  }
  return group;
#else
  return gloo;
#endif
}

// Gradients of `parameters`, in buckets of at most `bucket_bytes`, the first of them of `first_bytes`. 2.6
// takes the buckets' limits as well, 2.15 does not. Reducer: c10d's, whose header is heavy.
template <class Reducer, class Buckets>
std::unique_ptr<Reducer> make_reducer(const std::vector<at::Tensor>& parameters, const Buckets& buckets,
                                      const c10::intrusive_ptr<c10d::ProcessGroup>& group,
                                      int64_t bucket_bytes, int64_t first_bytes) {
  const auto& [indices, limits] = buckets;
  const std::vector<bool> sparse(parameters.size(), false);
  const std::unordered_map<size_t, std::string> names;
  constexpr bool kFindUnused = false, kGradientsAreViews = true;
  using Limits = std::vector<size_t>;
  using Group = c10::intrusive_ptr<c10d::ProcessGroup>;
  if constexpr (std::is_constructible_v<Reducer, std::vector<at::Tensor>, std::vector<Limits>, Limits, Group,
                                        std::vector<bool>, int64_t, bool, bool,
                                        std::unordered_map<size_t, std::string>, int64_t>) {
    return std::make_unique<Reducer>(parameters, indices, limits, group, sparse, bucket_bytes, kFindUnused,
                                     kGradientsAreViews, names, first_bytes);
  } else {
    constexpr bool kSkipUnused = false, kCalledByPython = false;
    return std::make_unique<Reducer>(parameters, indices, group, sparse, bucket_bytes, kFindUnused,
                                     kGradientsAreViews, names, first_bytes, kSkipUnused, kCalledByPython,
                                     std::vector<int64_t>{});
  }
}

// c10d's group, with what it does not offer by itself.
class GlooGroup : public c10d::ProcessGroupGloo {
 public:
  using ProcessGroupGloo::ProcessGroupGloo;

  // For the collectives that start from now on.
  void set_timeout(std::chrono::milliseconds timeout) {
    for (const auto& context : contexts_) context->setTimeout(timeout);
  }
  // Ends the collectives of all ranks that wait for this one.
  void close_connections() {
    for (const auto& context : contexts_) context->closeConnections();
  }
};

// The Reducer warns of gradients whose memory layout differs from their parameter's: here a few of depthwise
// convolutions, which cost next to nothing to copy. In its scope this thread hears no warnings of LibTorch.
class WithoutWarnings {
#if UIR_TORCH_AT_LEAST(2, 0)
  struct Silent : c10::WarningHandler {
    void process(const c10::Warning&) override {}
  } silent_;
  c10::WarningUtils::WarningHandlerGuard guard_{&silent_};
#else
  struct Silent : c10::WarningHandler {
    void process(const c10::SourceLocation&, const std::string&, const bool) override {}
  } silent_;
  c10::Warning::WarningHandlerGuard guard_{&silent_};
#endif
};

}  // namespace uir
