// Small tars, written here block by block, with whatever is to be wrong with them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

class TarArchive {
 public:
  // A header and its content in whole blocks. type: '0' file, '1' and '2' links, '5' folder, 'S' GNU's sparse
  // file, 'L' GNU's long name, 'x' pax's records.
  void add(std::string_view name, std::string_view content, char type = '0') {
    std::string header(kBlock, '\0');
    const auto put = [&](size_t at, std::string_view text) { header.replace(at, text.size(), text); };
    put(0, name.substr(0, 100));
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, octal(content.size(), 11));
    put(136, octal(0, 11));
    header[156] = type;
    put(257, magic);
    if (type == 'S')
      put(386, octal(0, 11) + '\0' + octal(content.size(), 11) + '\0');  // its one piece of data
    if (type == 'S') put(483, octal(content.size() + 4096, 11));         // its real size
    put(148, std::string(8, ' '));
    uint32_t sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put(148, octal(sum, 6) + '\0');
    text += header;
    text += content;
    text.resize((text.size() + kBlock - 1) / kBlock * kBlock, '\0');
  }
  void add_gnu(std::string_view long_name, std::string_view content) {
    add("././@LongLink", std::string(long_name) + '\0', 'L');
    add(long_name, content);
  }
  void add_pax(std::string_view long_name, std::string_view content) {
    const std::string record = " path=" + std::string(long_name) + '\n';
    size_t length = record.size() + 1;
    while (std::to_string(length).size() + record.size() != length) ++length;
    add("PaxHeader", std::to_string(length) + record, 'x');
    add("short", content);
  }
  // The two blocks of zeros that mark the end.
  void end() { text.resize(text.size() + 2 * kBlock, '\0'); }

  std::string text;
  std::string magic = std::string(
      "ustar\0"
      "00",
      8);  // "ustar  " in GNU's

 private:
  static constexpr size_t kBlock = 512;
  static std::string octal(uint64_t value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
    return text;
  }
};
