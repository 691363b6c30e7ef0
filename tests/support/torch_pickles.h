// Files of torch.save put together opcode by opcode: pickles of protocol 2 in both containers, with one
// storage "0" that holds the floats 0, 1, 2, ….
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/zip_archive.h"

// Opcodes of pickle protocol 2.
inline std::string text(const std::string& content) {
  std::string out = "X";
  put(out, static_cast<uint32_t>(content.size()));
  return out + content;
}
inline std::string number(int64_t value) {
  std::string out("\x8a\x08", 2);
  put(out, value);
  return out;
}
inline std::string tuple(const std::vector<int64_t>& values) {
  std::string out = "(";
  for (const int64_t value : values) out += number(value);
  return out + "t";
}
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string storage(const std::string& type, const std::string& key, int64_t elements) {
  return "(" + text("storage") + global("torch", type) + text(key) + text("cpu") + number(elements) + "tQ";
}
inline std::string tensor(const std::string& of, int64_t offset, const std::vector<int64_t>& sizes,
                          const std::vector<int64_t>& strides) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + of + number(offset) + tuple(sizes) +
         tuple(strides) + "\x89" + global("collections", "OrderedDict") + ")RtR";
}
inline std::string dict(const std::string& keys_and_values) { return "}(" + keys_and_values + "u"; }
inline std::string pickled(const std::string& object) { return "\x80\x02" + object + "."; }

inline std::string floats(int64_t count) {
  std::string out;
  for (int64_t i = 0; i < count; ++i) put(out, static_cast<float>(i));
  return out;
}

inline std::string zip_file(const std::string& object, int64_t num_floats = 24) {
  ZipArchive archive;
  archive.add("any/data.pkl", pickled(object));
  archive.add("any/data/0", floats(num_floats));
  return archive.bytes();
}

inline std::string legacy_file(const std::string& object) {
  std::string out("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e", 15);
  out += pickled("M\xe9\x03") + pickled(dict(text("little_endian") + "\x88"));
  out += pickled(object) + pickled("](" + text("0") + "e");
  put(out, int64_t{24});
  return out + floats(24);
}
