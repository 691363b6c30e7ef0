// What protocols say of their numbers, found by the type that a report names.
#pragma once

#include <string_view>
#include <vector>

#include "uir/eval/config.h"
#include "uir/report/report.h"

namespace uir {

inline NumberFacts facts_of(std::string_view type) {
  NumberFacts facts;
  for_each_alternative<decltype(ProtocolConfig::kind)>([&]<class Protocol>() {
    if (Protocol::kType == type) facts = Protocol::number_facts();
  });
  return facts;
}

inline std::vector<NamedMeaning> meanings_of_all_protocols() {
  std::vector<NamedMeaning> all;
  for_each_alternative<decltype(ProtocolConfig::kind)>([&]<class Protocol>() {
    for (const NamedMeaning& meaning : Protocol::number_facts().meanings) all.push_back(meaning);
  });
  return all;
}

}  // namespace uir
