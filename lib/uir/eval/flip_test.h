// The flip test as an option of protocols: a face's vector is that of its image and its mirror image
// (search/canonical.h).
#pragma once

#include <string_view>

namespace uir {

class EmbeddingStore;
struct ProtocolResult;

inline constexpr std::string_view kFlipTest =
    "Flip test: add the mirror image's embedding where the set holds it; the report says whether it did.";

// With a sentence at the end of its description: whether the vectors of the store's images are made with the
// flip test.
ProtocolResult with_flip_test(ProtocolResult result, const EmbeddingStore& set);

}  // namespace uir
