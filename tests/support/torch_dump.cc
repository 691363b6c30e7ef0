// torch_dump FILE: every tensor and number of a file of torch.save, one per line, as
// tests/oracle/torch_files.py does.
#include <cstdio>

#include "uir/base/error.h"
#include "uir/formats/torch_file.h"

namespace {

std::string hex(uir::Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", std::to_integer<unsigned>(byte));
    text += digits;
  }
  return text;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "" : ",") + std::to_string(size);
  return text;
}

void print(const uir::TorchDict& dict, const std::string& path) {
  for (const std::string_view key : dict.keys()) {
    const std::string here = path + "/" + std::string(key);
    if (const auto tensor = dict.tensor(key)) {
      std::printf("%s %s %s %s\n", here.c_str(), std::string(uir::type_name(tensor->type)).c_str(),
                  shape_text(tensor->shape).c_str(), hex(tensor->bytes).c_str());
    } else if (const auto inner = dict.dict(key)) {
      print(*inner, here);
    } else if (const auto number = dict.number(key)) {
      std::printf("%s %s\n", here.c_str(), hex(std::as_bytes(std::span(&*number, 1))).c_str());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "torch_dump FILE\n"), 64;
  try {
    print(uir::TorchFile(argv[1]).root(), "");
    return 0;
  } catch (const uir::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
