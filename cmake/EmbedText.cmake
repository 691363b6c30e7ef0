# cmake -DHEADER=… -DOUT=… -P EmbedText.cmake NAME=file…: writes the C++ file OUT, which defines for every NAME that the header
# HEADER declares as `extern const std::string_view` the text of its file, to the byte.
set(text "// Written by cmake/EmbedText.cmake.\n#include \"${HEADER}\"\n\nnamespace uir {\n")
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE 0 ${last})
  if(CMAKE_ARGV${i} MATCHES "^(k[A-Za-z]+)=(.+)$")
    set(name ${CMAKE_MATCH_1})
    file(READ "${CMAKE_MATCH_2}" content)
    string(APPEND text "\nconst std::string_view ${name} = R\"embedded(${content})embedded\";\n")
  endif()
endforeach()
file(WRITE "${OUT}" "${text}\n}  // namespace uir\n")
