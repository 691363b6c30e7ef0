// Feature files of the challenges, with the lists of items and labels that may stand beside them.
#include "target.h"
#include "uir/store/embedding_store.h"

UIR_FUZZ_TARGET(challenge) {
  const auto [item_bytes, label_bytes, feature_bytes] = uir::fuzz::split<3>(bytes);
  const uir::fuzz::InputFile items(item_bytes), labels(label_bytes), features(feature_bytes);
  const uir::EmbeddingStore store =
      uir::EmbeddingStore::open(uir::EmbeddingFiles{features.path(),
                                                    {},
                                                    item_bytes.empty() ? uir::fs::path() : items.path(),
                                                    label_bytes.empty() ? uir::fs::path() : labels.path()});
  for (const std::string_view item : store.items()) uir::checksum64(uir::as_bytes(item));
}
