#include "uir/eval/protocols.h"

#include "uir/base/error.h"
#include "uir/eval/context.h"
#include "uir/eval/embedding_sets.h"
#include "uir/report/report.h"

namespace uir {
namespace {

template <class Action>
auto naming(const ProtocolConfig& config, const Action& action) {
  try {
    return action();
  } catch (const Error& e) {
    throw e.at("protocol " + config.name);
  }
}

}  // namespace

std::vector<std::string> problems_of(const ProtocolConfig& config, const KnownSources& sources) {
  return std::visit([&](const auto& protocol) { return problems_of(protocol, sources); }, config.kind);
}

bool searches_pairs(const ProtocolConfig& config) {
  return std::visit(
      []<class P>(const P&) {
        return requires { requires P::kSearchesPairs; };
      },
      config.kind);
}

bool is_restartable(const ProtocolConfig& config) {
  return std::visit(
      []<class P>(const P&) {
        return requires { requires P::kRestartable; };
      },
      config.kind);
}

void check_sets(const ProtocolConfig& config, EmbeddingSets& sets) {
  naming(config, [&] {
    for (const std::string& set :
         std::visit([](const auto& protocol) { return sets_of(protocol); }, config.kind)) {
      sets.check(set);
    }
  });
}

std::vector<ProtocolResult> measure(const ProtocolConfig& config, EvalContext& context) {
  return naming(config, [&] {
    return std::visit([&](const auto& protocol) { return measure(config.name, protocol, context); },
                      config.kind);
  });
}

}  // namespace uir
