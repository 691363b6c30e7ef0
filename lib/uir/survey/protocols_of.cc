#include "uir/survey/protocols_of.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "uir/survey/collected.h"

namespace uir {
namespace {

constexpr double kHeldOut = 0.1, kMostHeldOut = 0.3;
constexpr double kFewestHeldOut = 8, kEnoughHeldOut = 20, kManyHeldOut = 10000;  // images
constexpr int64_t kMostOfAllPairs = 100'000, kMostWatched = 20'000;              // images
constexpr int64_t kFewestOfOpenSet = 20;                                         // people

// The share of n images to hold out; 0: there are too few.
double held_out_of(int64_t n) {
  const auto images = static_cast<double>(n);
  double share = std::min(kHeldOut, kManyHeldOut / std::max(images, 1.0));
  if (images * share < kEnoughHeldOut) share = std::min(kMostHeldOut, kEnoughHeldOut / std::max(images, 1.0));
  if (images * share < kFewestHeldOut) return 0;
  return std::max(std::round(share * 1000) / 1000, 0.001);
}

// Rates that the impostor pairs of so many images carry with some tens of events.
const char* far_of(int64_t images) {
  const double pairs = static_cast<double>(images) * static_cast<double>(images) / 2;
  if (pairs >= 3e6) return "[0.0001, 0.001, 0.01]";
  return pairs >= 3e4 ? "[0.001, 0.01]" : "[0.01, 0.1]";
}

std::string flow_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return "[" + text + "]";
}

class Protocols {
 public:
  explicit Protocols(Choice& choice) : choice_(choice) {}

  void choose() {
    for (const FoundSource& found : choice_.sources) {
      if (found.source.role == Role::kTest) measure(found);
    }
    if (!choice_.trains) return;
    hold_out();
    if (choice_.protocols.empty()) measure_held_out();
    add("centers", "type: separation");
    reject();
    train_with_unmeasured();
  }

 private:
  PlannedProtocol& add(const std::string& wanted, const std::string& options) {
    std::string name = wanted;
    for (int i = 2; !names_.insert(name).second; ++i) name = concat(wanted, '_', i);
    choice_.protocols.push_back({name, options});
    return choice_.protocols.back();
  }

  static std::string name_of(const FoundSource& found, const FoundProtocol& protocol) {
    for (const char* format : {"cfp_fp", "cfp_ff"}) {
      if (protocol.options.ends_with(format)) return format;
    }
    const bool search = protocol.options.find("ijb_identification") != std::string::npos;
    return found.source.name + (search ? "_1n" : "");
  }

  void measure(const FoundSource& found) {
    for (const FoundProtocol& protocol : found.protocols) {
      PlannedProtocol& added =
          add(name_of(found, protocol), concat(protocol.options, ", set: ", found.source.name));
      added.path = protocol.path;
      added.key = protocol.key;
      if (protocol.options.starts_with("type: verification")) watch(found, added.name);
    }
    if (found.people_of_two < 2 || found.images > kMostOfAllPairs) return;
    const std::string& name = found.source.name;
    watch(found, add(found.protocols.empty() ? name : name + "_all_pairs",
                     concat("type: all_pairs, set: ", name, ", far: ", far_of(found.images)))
                     .name);
    if (std::min(found.people_of_two, found.people - found.people_of_two) >= kFewestOfOpenSet)
      add(name + "_open_set", concat("type: open_set, set: ", name, ", far: [0.01, 0.1]"));
  }

  void watch(const FoundSource& found, const std::string& name) {
    if (choice_.trains && found.images <= kMostWatched) choice_.watched.push_back(name);
  }

  void hold_out() {
    for (FoundSource& found : choice_.sources) {
      if (found.source.role != Role::kLabeled) continue;
      found.source.held_out = held_out_of(found.images_of_three);
      if (found.source.held_out > 0) known_.push_back(found.source.name + ".held_out");
    }
  }

  // Nothing else tells how good the network is.
  void measure_held_out() {
    for (FoundSource& found : choice_.sources) {
      if (found.source.role != Role::kLabeled || found.source.held_out == 0) continue;
      found.source.held_out = std::max(found.source.held_out, 2 * kHeldOut);
      const auto images =
          static_cast<int64_t>(static_cast<double>(found.images_of_three) * found.source.held_out);
      if (images > kMostOfAllPairs) continue;
      add(found.source.name + "_held_out",
          concat("type: all_pairs, set: ", found.source.name, ".held_out, far: ", far_of(images)));
      choice_.notes.emplace_back(
          "there is no test set, and nobody was spared for one (that takes a folder of at least ten people "
          "with two images each): the numbers are of held-out images of people whom the network was trained "
          "on, and kinder than those of strangers; add a folder of other people, named test");
    }
  }

  // Of whom the network has no class: people to test with, else held-out strangers.
  std::vector<std::string> strangers() {
    std::vector<std::string> sets;
    for (const FoundSource& found : choice_.sources) {
      const bool benchmark = !found.protocols.empty() || std::holds_alternative<BinSource>(found.source.kind);
      if (found.source.role == Role::kTest && !benchmark) sets.push_back(found.source.name);
    }
    if (!sets.empty()) return sets;
    for (FoundSource& found : choice_.sources) {
      if (found.source.role != Role::kUnlabeled) continue;
      found.source.held_out = held_out_of(found.images);
      if (found.source.held_out > 0) sets.push_back(found.source.name + ".held_out");
    }
    return sets;
  }

  void reject() {
    if (known_.empty()) return;
    const std::vector<std::string> sets = strangers();
    if (sets.empty()) return;
    add("rejection", concat("type: rejection, known: ", flow_list(known_), ", strangers: ", flow_list(sets)));
  }

  // What is held out and not measured is better trained with.
  void train_with_unmeasured() {
    for (FoundSource& found : choice_.sources) {
      const std::string held_out = found.source.name + ".held_out";
      const bool measured = std::ranges::any_of(choice_.protocols, [&](const PlannedProtocol& protocol) {
        return protocol.options.find(held_out) != std::string::npos;
      });
      if (!measured) found.source.held_out = 0;
    }
  }

  Choice& choice_;
  std::set<std::string> names_;
  std::vector<std::string> known_;
};

}  // namespace

bool can_be_measured(const FoundSource& found) {
  return found.source.role == Role::kTest && (!found.protocols.empty() || found.people_of_two >= 2);
}

void choose_protocols(Choice& choice) { Protocols(choice).choose(); }

}  // namespace uir
