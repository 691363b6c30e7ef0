// Options of the protocols of IJB-B and IJB-C.
#pragma once

#include <array>

#include "uir/config/rules.h"

namespace uir {

enum class IjbBenchmark { kIjbb, kIjbc };
template <>
struct EnumNames<IjbBenchmark> {
  static constexpr std::array<EnumName<IjbBenchmark>, 2> value{
      {{IjbBenchmark::kIjbb, "ijbb"}, {IjbBenchmark::kIjbc, "ijbc"}}};
};

// What an image's embedding goes through before it joins its template.
enum class TemplateProperty { kFlip, kNoFlip, kNormKept, kNormRemoved, kScore, kNoScore };
template <>
struct EnumNames<TemplateProperty> {
  static constexpr std::array<EnumName<TemplateProperty>, 6> value{
      {{TemplateProperty::kFlip, "flip"},
       {TemplateProperty::kNoFlip, "no_flip"},
       {TemplateProperty::kNormKept, "norm_kept"},
       {TemplateProperty::kNormRemoved, "norm_removed"},
       {TemplateProperty::kScore, "score"},
       {TemplateProperty::kNoScore, "no_score"}}};
};

}  // namespace uir
