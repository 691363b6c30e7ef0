// A tar shard as a source: labels in .json, .txt and .cls by the first byte.
#include "target.h"
#include "uir/data/source_kinds.h"

UIR_FUZZ_TARGET(tar) {
  constexpr std::array kLabels{uir::SampleLabel::kCls, uir::SampleLabel::kTxt, uir::SampleLabel::kJson,
                               uir::SampleLabel::kNone};
  const uir::SampleLabel label = kLabels[uir::fuzz::take_choice(bytes, kLabels.size())];
  const uir::fuzz::InputFile file(bytes);
  const auto source =
      uir::make_source(uir::WebdatasetSource{{file.path().string()}, label, "label"}, uir::Role::kTest);
  source->for_each_row([&](const uir::SourceRow& row) { (void)source->examine(row, nullptr); });
}
