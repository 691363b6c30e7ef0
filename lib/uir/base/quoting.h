// Names of files where they are neither bytes nor text: in a command for a shell, in an address.
#pragma once

#include <string>
#include <string_view>

namespace uir {

// One word for sh, bash and zsh, whatever the name holds. Plain names as they are, others in '…'; those with
// control characters or bytes that are no UTF-8 in $'…', which dash before 0.5.11 does not know.
std::string shell_quoted(std::string_view name);

// One part of a relative address, to the byte: everything but letters, digits and -._~ as %xx (RFC 3986).
std::string url_encoded(std::string_view name);

}  // namespace uir
