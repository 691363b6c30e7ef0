#include "uir/model/state_dict.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <sstream>
#include <string_view>
#include <vector>

#include "uir/base/error.h"

namespace uir {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

std::string without_prefixes(std::string name) {
  constexpr std::string_view kPrefixes[] = {"module.", "model.", "net.", "backbone."};
  for (bool stripped = true; stripped;) {
    stripped = false;
    for (const std::string_view prefix : kPrefixes) {
      if (!name.starts_with(prefix)) continue;
      name.erase(0, prefix.size());
      stripped = true;
    }
  }
  return name;
}

std::string first_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  std::ostringstream text;
  text << names.size() << " (";
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) text << (i ? ", " : "") << names[i];
  text << (names.size() > kShown ? ", …)" : ")");
  return text.str();
}

}  // namespace

Tensors state_dict(const Backbone& backbone) {
  Tensors tensors;
  for (const auto& entry : backbone.named_parameters()) tensors[entry.key()] = entry.value().detach();
  for (const auto& entry : backbone.named_buffers()) tensors[entry.key()] = entry.value();
  return tensors;
}

LoadedTensors load_state_dict(Backbone& backbone, const Tensors& tensors) {
  const at::NoGradGuard no_grad;
  Tensors given;
  for (const auto& [name, tensor] : tensors) {
    if (!given.emplace(without_prefixes(name), tensor).second)
      fail(ErrorKind::kData, "two tensors are called '", without_prefixes(name),
           "' once prefixes are stripped");
  }
  std::vector<std::string> missing, misshapen, unknown;
  Tensors own = state_dict(backbone);
  LoadedTensors result{static_cast<int64_t>(given.size()), static_cast<int64_t>(own.size()), 0};
  for (const auto& [name, tensor] : own) {
    const auto found = given.find(name);
    if (found == given.end()) {
      const bool counter = name.ends_with("num_batches_tracked");
      if (counter) ++result.without_counter;
      if (!counter) missing.push_back(name);
    } else if (found->second.sizes() != tensor.sizes()) {
      misshapen.push_back(name);
    }
  }
  for (const auto& [name, tensor] : given) {
    if (!own.contains(name)) unknown.push_back(name);
  }
  if (!missing.empty() || !misshapen.empty() || !unknown.empty()) {
    fail(ErrorKind::kData, "the weights do not fit the network: missing ", first_of(missing),
         ", of another shape ", first_of(misshapen), ", unknown ", first_of(unknown),
         "; check the model section (type, depth, width)");
  }
  for (const auto& [name, tensor] : given) own.at(name).copy_(tensor);
  return result;
}

}  // namespace uir
