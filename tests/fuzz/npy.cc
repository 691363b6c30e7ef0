#include "target.h"
#include "uir/store/embedding_store.h"

UIR_FUZZ_TARGET(npy) {
  const uir::fuzz::InputFile file(bytes);
  const uir::MappedMatrix array = uir::open_npy(file.path());
  const uir::MatrixView matrix = array.matrix();
  uir::checksum64(std::as_bytes(std::span(matrix.data, static_cast<size_t>(matrix.rows * matrix.cols))));
}
