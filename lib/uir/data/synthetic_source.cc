#include "uir/data/source_kinds.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

class Synthetic : public Source {
 public:
  explicit Synthetic(const SyntheticSource& config) : config_(config) {}

  SourceInfo info() const override {
    SourceInfo info;
    info.kind = SourceKind::kSynthetic;
    info.settings = {{"identities", config_.identities},
                     {"images_per_identity", config_.images_per_identity},
                     {"first_identity", config_.first_identity},
                     {"seed", config_.seed}};
    return info;
  }

  void for_each_row(const RowBody& body) override {
    uint64_t number = 0;
    for (int64_t person = config_.first_identity; person < config_.first_identity + config_.identities;
         ++person) {
      const std::string prefix = std::to_string(person) + "/";
      int64_t identity = -1;
      identities_.add_number(person, identity);
      for (int64_t image = 0; image < config_.images_per_identity; ++image) {
        SourceRow row;
        row.item = prefix + std::to_string(image);
        row.identity = identity;
        row.where = number++;
        body(std::move(row));
      }
    }
  }

  ImageFacts examine(const SourceRow& row, const ImageFacts* /*known*/) const override {
    ImageFacts facts;
    facts.size = static_cast<uint32_t>(kImageBytes);
    const auto number = static_cast<int64_t>(row.where);
    facts.hash = synthetic_hash(config_.seed, config_.first_identity + number / config_.images_per_identity,
                                number % config_.images_per_identity);
    facts.pixels = {kImageSize, kImageSize};
    facts.reused = true;
    return facts;
  }
  std::string place(const SourceRow& row) const override { return "synthetic face " + row.item; }

 private:
  SyntheticSource config_;
};

}  // namespace

std::unique_ptr<Source> make_source(const SyntheticSource& config, Role) {
  return std::make_unique<Synthetic>(config);
}

}  // namespace uir
