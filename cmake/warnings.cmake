# SPDX-License-Identifier: MIT
# The warnings and sanitizers for every target of this project: link it to quoit_flags.
add_library(quoit_flags INTERFACE)
if(MSVC)
  target_compile_options(quoit_flags INTERFACE /W4 $<$<BOOL:${QUOIT_WERROR}>:/WX>
    $<$<COMPILE_LANGUAGE:C>:/experimental:c11atomics>)
else()
  target_compile_options(quoit_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align
    -Wpointer-arith -Wundef -Wvla -Wformat=2 -Wwrite-strings
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes;-Wmissing-prototypes>
    $<$<BOOL:${QUOIT_WERROR}>:-Werror>)
endif()
if(QUOIT_SANITIZE)
  target_compile_options(quoit_flags INTERFACE
    -fsanitize=${QUOIT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(quoit_flags INTERFACE -fsanitize=${QUOIT_SANITIZE})
endif()
