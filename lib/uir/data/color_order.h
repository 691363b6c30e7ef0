// The order of the colours in a source's stored images, as the index keeps it: among the source's settings,
// and only where it is not RGB.
#pragma once

#include "uir/base/error.h"
#include "uir/data/index.h"

namespace uir {

inline constexpr const char* kColorOrderSetting = "color_order";

// kData for one that is not known.
inline ColorOrder color_order_of(const SourceInfo& source) {
  if (!source.settings.is_object() || !source.settings.contains(kColorOrderSetting)) return ColorOrder::kRgb;
  const auto name =
      json_at<std::string>(source.settings, kColorOrderSetting, concat("source '", source.name, "'"));
  if (const auto order = enum_from_name<ColorOrder>(name)) return *order;
  fail(ErrorKind::kData, "source '", source.name, "': unknown order of colours '", name,
       "'; rebuild with uir-index");
}

inline void set_color_order(SourceInfo& source, ColorOrder order) {
  if (order != ColorOrder::kRgb) source.settings[kColorOrderSetting] = enum_name(order);
}

}  // namespace uir
