# SPDX-License-Identifier: MIT
# The target `manual`: makes the manual pages from the headers and from the commands' --help.
find_package(Python3 COMPONENTS Interpreter)
if(NOT Python3_FOUND OR CMAKE_CROSSCOMPILING OR NOT TARGET quoit_tool)
  return()
endif()
set(man_dir ${PROJECT_BINARY_DIR}/man)
set(man_programs $<TARGET_FILE:quoit_tool>)
if(QUOIT_EXAMPLES)
  list(APPEND man_programs $<TARGET_FILE:producer> $<TARGET_FILE:consumer>)
endif()
set(make_pages ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/docs/man/make_pages.py)
file(GLOB_RECURSE man_headers CONFIGURE_DEPENDS include/*.h)
set(compress_pages)
set(man_suffix)
if(QUOIT_PACKAGES) # in the form that Debian requires
  set(man_suffix .gz)
  set(compress_pages COMMAND sh -c "gzip -9nkf '${man_dir}'/*.[0-9]")
endif()
add_custom_command(OUTPUT ${man_dir}/quoit.7
  COMMAND ${make_pages} ${man_dir} ${man_programs}
  ${compress_pages}
  DEPENDS docs/man/make_pages.py ${man_headers} quoit_tool VERBATIM)
add_custom_target(manual ALL DEPENDS ${man_dir}/quoit.7)
if(QUOIT_EXAMPLES)
  add_dependencies(manual producer consumer)
endif()
if(QUOIT_TESTS AND NOT QUOIT_SANITIZE)
  add_test(NAME ${QUOIT_TEST_PREFIX}manual COMMAND ${make_pages} --self-test ${man_programs})
endif()
