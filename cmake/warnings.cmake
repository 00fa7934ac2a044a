# SPDX-License-Identifier: MIT
# The warnings and sanitizers for every target of this project: link it to quoit_flags.
add_library(quoit_flags INTERFACE)
if(MSVC)
  # The sources are UTF-8. C4996 advises against functions of standard C, such as fopen.
  target_compile_options(quoit_flags INTERFACE /W4 $<$<BOOL:${QUOIT_WERROR}>:/WX> /utf-8
    $<$<COMPILE_LANG_AND_ID:C,MSVC>:/experimental:c11atomics>)
  target_compile_definitions(quoit_flags INTERFACE _CRT_SECURE_NO_WARNINGS _CRT_NONSTDC_NO_WARNINGS)
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
