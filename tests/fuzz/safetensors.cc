#include "uir/formats/safetensors.h"

#include "target.h"

UIR_FUZZ_TARGET(safetensors) {
  const uir::fuzz::InputFile input(bytes);
  const uir::SafetensorsFile file(input.path());
  for (const uir::TensorView& view : file.tensors()) uir::checksum64(file.at(view.name).bytes);
}
