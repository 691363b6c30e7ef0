// Names of files are bytes, not text: on Linux they may hold anything but '/' and zero. Here is how they are
// shown where only text is allowed.
//
// Lists and columns of ours (items.tsv, excluded_….tsv, items.text) and the console carry names byte for
// byte; JSON and HTML, which hold UTF-8 only, carry readable(name). Names with control characters never get
// that far: sources refuse them (data/folder_listing.h), since no list of one name a line could hold them.
// Threads: thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace uir {

// The length of the UTF-8 sequence at the start of the text (1 … 4); 0 where it is none, or the text is
// empty.
size_t utf8_length(std::string_view text);
bool is_utf8(std::string_view text);

// Below 0x20, and 0x7f.
bool is_control(char c);
bool has_control(std::string_view text);

// The text with every byte that is no UTF-8 as \xe7 (two digits), and control characters as \t, \n, \r or
// \x1b: what a reader needs to find the name. Other text is returned as it is.
std::string readable(std::string_view text);

// The bytes as two hexadecimal digits each, and back; empty for text that is not made of such digits.
std::string to_hex(std::string_view bytes);
std::string from_hex(std::string_view digits);

}  // namespace uir
