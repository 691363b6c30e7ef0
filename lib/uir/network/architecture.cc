#include "uir/network/architecture.h"

#include <variant>

#include "uir/config/reader.h"

namespace uir {

Json architecture_json(const ModelConfig& model) {
  return std::visit(
      [](const auto& network) {
        Json json{
            {"type", network.kType}, {"width", network.width}, {"embedding_size", network.embedding_size}};
        if constexpr (requires { network.depth; }) json["depth"] = network.depth;
        if constexpr (requires { network.large; }) json["large"] = network.large;
        return json;
      },
      model.backbone);
}

// JSON is YAML, so the config's own strict reader reads it.
ModelConfig parse_architecture(const std::string& json, const std::string& place) {
  try {
    ModelConfig model;
    ConfigReader::read(ConfigDocument::parse(json, place + ": architecture"), model);
    return model;
  } catch (const Error& e) {
    fail(ErrorKind::kData, e.what());
  }
}

}  // namespace uir
