#include "uir/search/scan_state.h"

#include <string_view>

#include "uir/base/log.h"
#include "uir/search/byte_values.h"

namespace uir {
namespace {

constexpr std::string_view kMagic = "uir-scan-state\n\x01";  // format and version: 16 bytes
static_assert(kMagic.size() == 16);

}  // namespace

void save_scan_state(const fs::path& path, uint64_t fingerprint, const ScanState& state) {
  ByteWriter writer;
  writer.put(fingerprint);
  writer.put(state.next_block);
  writer.put_all(state.done_ahead);
  writer.put(state.pairs);
  writer.put(state.rescored);
  writer.put_text(state.found);
  std::string text = std::string(kMagic) + writer.take();
  const uint64_t checksum = checksum64(as_bytes(text));
  text.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  write_file_atomically(path, text);
}

std::optional<ScanState> load_scan_state(const fs::path& path, uint64_t fingerprint) {
  if (!fs::exists(path)) return std::nullopt;
  const auto ignore = [&](std::string_view why) {
    log_warning(path.string(), ": the saved state of an interrupted search ", why, "; starting over");
    return std::nullopt;
  };
  const MappedFile file(path);
  const std::string_view text = as_text(file.bytes());
  if (text.size() < kMagic.size() + sizeof(uint64_t) || !text.starts_with(kMagic))
    return ignore("is no such state");
  const std::string_view content = text.substr(0, text.size() - sizeof(uint64_t));
  if (ByteReader(text.substr(content.size())).get<uint64_t>() != checksum64(as_bytes(content)))
    return ignore("is damaged (its checksum does not match)");
  ByteReader reader(content.substr(kMagic.size()));
  if (reader.get<uint64_t>() != fingerprint) return ignore("belongs to other embeddings or settings");
  ScanState state;
  state.next_block = reader.get<int64_t>();
  state.done_ahead = reader.get_all<int64_t>();
  state.pairs = reader.get<int64_t>();
  state.rescored = reader.get<int64_t>();
  state.found = reader.get_text();
  return state;
}

}  // namespace uir
