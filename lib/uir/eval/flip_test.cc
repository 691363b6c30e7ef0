#include "uir/eval/flip_test.h"

#include "uir/report/report.h"
#include "uir/store/embedding_store.h"

namespace uir {

ProtocolResult with_flip_test(ProtocolResult result, const EmbeddingStore& set) {
  result.description += set.mirrored()
                            ? " Vector of an image: its embedding plus its mirror image's (flip test)."
                            : " Vector of an image: its embedding alone (no flip test).";
  return result;
}

}  // namespace uir
