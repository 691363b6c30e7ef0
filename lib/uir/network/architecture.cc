#include "uir/network/architecture.h"

#include <string>
#include <string_view>
#include <variant>

#include "uir/config/reader.h"

namespace uir {
namespace {

// The visitor that writes a network's options, less those that no weight's shape depends on.
struct ArchitectureWriter {
  Json json;

  template <class T, class... Rules>
  void field(std::string_view name, const T& value, std::string_view, const Rules&...) {
    if (name != "dropout") json[std::string(name)] = value;
  }
};

}  // namespace

Json architecture_json(const ModelConfig& model) {
  return std::visit(
      [](auto network) {
        // In front what all networks have, in the order that weights have carried from the start.
        ArchitectureWriter writer{
            {{"type", network.kType}, {"width", network.width}, {"embedding_size", network.embedding_size}}};
        describe(writer, network);
        return writer.json;
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
