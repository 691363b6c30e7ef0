#include "uir/model/state_dict.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "uir/base/error.h"

namespace uir {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

// What torch.compile, FSDP and activation checkpoints put in front of a part of a name.
constexpr std::array<std::string_view, 3> kWrappers{"_orig_mod.", "_fsdp_wrapped_module.",
                                                    "_checkpoint_wrapped_module."};

std::string without_wrappers(std::string name) {
  for (const std::string_view wrapper : kWrappers) {
    for (size_t at = 0; (at = name.find(wrapper, at)) != std::string::npos;) {
      const bool whole_part = at == 0 || name[at - 1] == '.';
      whole_part ? void(name.erase(at, wrapper.size())) : void(++at);
    }
  }
  return name;
}

Tensors without_wrappers(const Tensors& tensors) {
  Tensors given;
  for (const auto& [name, tensor] : tensors) {
    if (!given.emplace(without_wrappers(name), tensor).second)
      fail(ErrorKind::kData, "two tensors are called '", without_wrappers(name),
           "' once the marks of wrapped modules are taken off");
  }
  return given;
}

bool is_counter(std::string_view name) { return name.ends_with("num_batches_tracked"); }

std::string first_part(const std::string& name) { return name.substr(0, name.find('.')); }

std::string first_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  std::ostringstream text;
  text << names.size() << " (";
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) text << (i ? ", " : "") << names[i];
  text << (names.size() > kShown ? ", …)" : ")");
  return text.str();
}

// How the tensors behind a prefix fit the network.
struct Fit {
  std::string prefix;
  std::vector<std::string> missing, misshapen;  // as the network names them
  std::vector<std::string> unknown;             // of modules that the network has: as it would name them
  std::vector<std::string> beside, elsewhere;   // in other modules behind the prefix; not behind it
  int64_t without_counter = 0;

  bool fits() const { return missing.empty() && misshapen.empty() && unknown.empty(); }
};

Fit fit_of(const std::string& prefix, const Tensors& given, const Tensors& own) {
  Fit fit{prefix, {}, {}, {}, {}, {}, 0};
  std::set<std::string> modules;
  for (const auto& [name, tensor] : own) {
    modules.insert(first_part(name));
    const auto found = given.find(prefix + name);
    if (found == given.end()) {
      if (is_counter(name)) ++fit.without_counter;
      if (!is_counter(name)) fit.missing.push_back(name);
    } else if (found->second.sizes() != tensor.sizes()) {
      fit.misshapen.push_back(name);
    }
  }
  for (const auto& [name, tensor] : given) {
    if (!name.starts_with(prefix)) {
      fit.elsewhere.push_back(name);
    } else if (const std::string rest = name.substr(prefix.size()); !own.contains(rest)) {
      (modules.contains(first_part(rest)) ? fit.unknown : fit.beside).push_back(rest);
    }
  }
  return fit;
}

// Every prefix in front of a name of the network, and how many there are of it.
std::map<std::string, int64_t> prefixes_of(const Tensors& given, const Tensors& own) {
  std::map<std::string, int64_t> counts;
  for (const auto& [name, tensor] : given) {
    for (size_t at = 0;;) {
      if (const std::string rest = name.substr(at); own.contains(rest) && !is_counter(rest))
        ++counts[name.substr(0, at)];
      const size_t dot = name.find('.', at);
      if (dot == std::string::npos) break;
      at = dot + 1;
    }
  }
  return counts;
}

bool equal_behind(const std::string& a, const std::string& b, const Tensors& given, const Tensors& own) {
  return std::ranges::all_of(own, [&](const auto& entry) {
    const auto in_a = given.find(a + entry.first), in_b = given.find(b + entry.first);
    return in_a == given.end() || in_b == given.end() || in_a->second.equal(in_b->second);
  });
}

[[noreturn]] void refuse(const Fit& fit) {
  std::vector<std::string> unknown = fit.unknown;
  unknown.insert(unknown.end(), fit.beside.begin(), fit.beside.end());
  fail(ErrorKind::kData, "the weights do not fit the network",
       fit.prefix.empty() ? "" : concat(" (behind the prefix '", fit.prefix, "')"), ": missing ",
       first_of(fit.missing), ", of another shape ", first_of(fit.misshapen), ", unknown ", first_of(unknown),
       "; check the model section (type, depth, width)");
}

// The one prefix behind which the network stands.
Fit find_network(const Tensors& given, const Tensors& own) {
  const auto needed = std::ranges::count_if(own, [](const auto& entry) { return !is_counter(entry.first); });
  const std::map<std::string, int64_t> prefixes = prefixes_of(given, own);
  std::vector<Fit> found;
  for (const auto& [prefix, count] : prefixes) {
    if (count != needed) continue;
    if (Fit fit = fit_of(prefix, given, own); fit.fits()) found.push_back(std::move(fit));
  }
  if (found.empty()) {
    const auto best = std::ranges::max_element(prefixes, {}, [](const auto& entry) { return entry.second; });
    refuse(fit_of(best == prefixes.end() ? "" : best->first, given, own));
  }
  for (size_t i = 1; i < found.size(); ++i) {
    if (!equal_behind(found[0].prefix, found[i].prefix, given, own))
      fail(ErrorKind::kData, "holds two networks, behind the prefixes '", found[0].prefix, "' and '",
           found[i].prefix, "'; save the one that is meant by itself");
  }
  return found[0];
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
  const Tensors given = without_wrappers(tensors);
  Tensors own = state_dict(backbone);
  Fit fit = find_network(given, own);
  LoadedTensors result{0,          static_cast<int64_t>(own.size()), fit.without_counter,
                       fit.prefix, std::move(fit.elsewhere),         !fit.beside.empty()};
  for (const std::string& name : fit.beside) result.left_out.push_back(fit.prefix + name);
  for (auto& [name, tensor] : own) {
    const auto found = given.find(fit.prefix + name);
    if (found == given.end()) continue;
    tensor.copy_(found->second);
    ++result.loaded;
  }
  return result;
}

}  // namespace uir
