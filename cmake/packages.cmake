# SPDX-License-Identifier: MIT
# The packages that `cpack` makes: on Linux libquoit0, libquoit-dev, quoit-tools, quoit-bridge and python3-quoit for Debian and its
# derivatives, for Windows a zip.
set(CPACK_PACKAGE_NAME quoit)
set(CPACK_PACKAGE_VENDOR "The Quoit developers")
set(CPACK_PACKAGE_CONTACT "The Quoit developers <maintainers@quoit.invalid>")
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_COMPONENTS_ALL runtime development)
if(TARGET quoit_tool)
  list(APPEND CPACK_COMPONENTS_ALL tools)
endif()
if(TARGET quoit_bridge)
  list(APPEND CPACK_COMPONENTS_ALL bridge)
endif()
if(python_dir)
  list(APPEND CPACK_COMPONENTS_ALL python)
endif()
if(WIN32)
  set(CPACK_GENERATOR ZIP)
  set(CPACK_PACKAGE_FILE_NAME quoit-${PROJECT_VERSION}-windows-x86_64)
  include(CPack)
  return()
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

# quoit_deb COMPONENT PACKAGE SECTION SUMMARY LINE...: a package, with the two files that Debian requires in each.
set(deb_dir ${PROJECT_BINARY_DIR}/deb)
function(quoit_deb component package section summary)
  string(TOUPPER ${component} upper)
  list(JOIN ARGN "\n" lines)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${package} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${summary}\n${lines}" PARENT_SCOPE)
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${summary}\n${lines}" PARENT_SCOPE)
  install(FILES ${deb_dir}/changelog.Debian.gz ${deb_dir}/copyright
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component})
endfunction()

find_program(GZIP gzip REQUIRED)
file(MAKE_DIRECTORY ${deb_dir})
execute_process(COMMAND ${GZIP} -9nc ${PROJECT_SOURCE_DIR}/cmake/debian/changelog
  OUTPUT_FILE ${deb_dir}/changelog.Debian.gz COMMAND_ERROR_IS_FATAL ANY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/debian/changelog)
file(STRINGS LICENSE license)
list(SUBLIST license 4 -1 license)
set(license_text)
foreach(line IN LISTS license)
  if(line STREQUAL "")
    set(line .)
  endif()
  string(APPEND license_text " ${line}\n")
endforeach()
configure_file(cmake/debian/copyright.in ${deb_dir}/copyright @ONLY)

set(about "Queues of one or many producers and consumers, broadcast, pools and named"
  "semaphores in shared memory, lock-free, with no daemon. A pushed item is"
  "kept when a process is killed." "")
quoit_deb(runtime libquoit0 libs "messages between processes through shared memory"
  ${about} "This package has the shared library.")
quoit_deb(development libquoit-dev libdevel "messages between processes through shared memory (development)"
  ${about} "This package has what programs are built with: headers, a static library,"
  "files for pkg-config and CMake, and manual pages.")
quoit_deb(tools quoit-tools utils "look into and use queues in shared memory"
  ${about} "This package has the quoit command, which lists, watches, fills, drains,"
  "checks and removes queues.")
quoit_deb(bridge quoit-bridge net "carry queues in shared memory to and from NATS JetStream"
  ${about} "This package has the program quoit-bridge, which carries the items of a queue"
  "into a stream of NATS JetStream, or the messages of a stream into a queue,"
  "each once and in order. It needs no state file.")
quoit_deb(python python3-quoit python "messages between processes through shared memory (Python)"
  ${about} "This package has the Python module, which has the C library inside.")
set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS "python3 (>= 3.11)")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libquoit0 (= ${PROJECT_VERSION}-1)")

# The first version of the package that has each symbol. Later packages keep the versions of older symbols.
set(symbols "libquoit.so.0 libquoit0 #MINVER#\n QUOIT_0@QUOIT_0 0.1.0\n")
foreach(name IN LISTS QUOIT_EXPORTS)
  string(APPEND symbols " ${name}@QUOIT_0 0.1.0\n")
endforeach()
file(CONFIGURE OUTPUT ${deb_dir}/symbols CONTENT "${symbols}" @ONLY)
file(CONFIGURE OUTPUT ${deb_dir}/shlibs CONTENT "libquoit 0 libquoit0 (>= 0.1.0)\n")
file(CONFIGURE OUTPUT ${deb_dir}/triggers CONTENT "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${deb_dir}/symbols ${deb_dir}/shlibs ${deb_dir}/triggers)
set(CPACK_POST_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian/without_scripts.cmake)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
include(CPack)
