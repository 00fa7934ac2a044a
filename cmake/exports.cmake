# SPDX-License-Identifier: MIT
# Exports only the functions of src/exports.txt, which are those of the public headers.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)
file(STRINGS ${PROJECT_SOURCE_DIR}/src/exports.txt QUOIT_EXPORTS REGEX "^quoit_")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/exports.txt)
set(exports_dir ${PROJECT_BINARY_DIR}/exports)
list(JOIN QUOIT_EXPORTS "\n" lines)
file(CONFIGURE OUTPUT ${exports_dir}/quoit.def CONTENT "EXPORTS\n${lines}\n")
list(JOIN QUOIT_EXPORTS "; " names)
file(CONFIGURE OUTPUT ${exports_dir}/quoit.map CONTENT "QUOIT_0 { global: ${names}; local: *; };\n")

# Hides every symbol that the public headers do not declare. The headers are plain C, so the attribute comes from a file
# that the compiler includes first.
set(include_lines)
foreach(header quoit.h quoit/typed.h quoit/inspect.h quoit/lock.h quoit/sem.h)
  string(APPEND include_lines "#include <${header}>\n")
endforeach()
file(CONFIGURE OUTPUT ${exports_dir}/visible.h CONTENT
  "#pragma GCC visibility push(default)\n${include_lines}#pragma GCC visibility pop\n" @ONLY)
check_c_compiler_flag(-fvisibility=hidden QUOIT_HAS_VISIBILITY)
function(quoit_hide target)
  if(QUOIT_HAS_VISIBILITY AND NOT WIN32)
    target_compile_options(${target} PRIVATE -fvisibility=hidden "SHELL:-include ${exports_dir}/visible.h")
  endif()
endfunction()

# Uses versioned symbols if the linker supports them. Calls within the library do not go through the symbol table.
file(CONFIGURE OUTPUT ${exports_dir}/try.map CONTENT "QUOIT_0 { local: unused_*; };\n")
check_linker_flag(C "-Wl,--version-script=${exports_dir}/try.map,-Bsymbolic-functions" QUOIT_HAS_VERSION_SCRIPT)
function(quoit_export_listed target)
  if(WIN32)
    target_sources(${target} PRIVATE ${exports_dir}/quoit.def)
  elseif(QUOIT_HAS_VERSION_SCRIPT)
    target_link_options(${target} PRIVATE "LINKER:--version-script=${exports_dir}/quoit.map,-Bsymbolic-functions")
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${exports_dir}/quoit.map)
  endif()
endfunction()
