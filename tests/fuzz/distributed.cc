// The .metadata of torch.distributed.checkpoint.
#include "uir/formats/distributed_checkpoint.h"

#include "target.h"

UIR_FUZZ_TARGET(distributed) {
  using namespace uir;
  const fuzz::InputFile input(bytes);
  for (const DistributedTensor& tensor : read_distributed_metadata(input.path(), "/nowhere")) {
    for (const DistributedTensor::Piece& piece : tensor.pieces) {
      ensure(piece.sizes.size() == tensor.shape.size() && !piece.file.empty(), "a piece has its place");
      for (size_t d = 0; d < tensor.shape.size(); ++d)
        ensure(piece.offsets[d] + piece.sizes[d] <= tensor.shape[d], "a piece lies in its tensor");
    }
  }
}
