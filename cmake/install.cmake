# SPDX-License-Identifier: MIT
# The files that `cmake --install` installs, in five components: runtime (the shared library), development, tools,
# bridge, python.
include(CMakePackageConfigHelpers)
set(QUOIT_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/quoit)

# The targets to build before `cmake --install`.
add_custom_target(quoit_installed DEPENDS quoit)
foreach(target quoit_shared quoit_tool quoit_bridge quoit_python_package manual)
  if(TARGET ${target})
    add_dependencies(quoit_installed ${target})
  endif()
endforeach()

install(TARGETS quoit EXPORT quoit-targets ARCHIVE COMPONENT development)
if(QUOIT_SHARED)
  install(TARGETS quoit_shared EXPORT quoit-targets
    RUNTIME COMPONENT runtime
    LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
    ARCHIVE COMPONENT development)
endif()
install(DIRECTORY include/ TYPE INCLUDE COMPONENT development)
install(EXPORT quoit-targets NAMESPACE quoit:: DESTINATION ${QUOIT_CMAKE_DIR} COMPONENT development)

configure_package_config_file(cmake/quoitConfig.cmake.in ${PROJECT_BINARY_DIR}/quoitConfig.cmake
  INSTALL_DESTINATION ${QUOIT_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
# Until 1.0 each 0.x may break programs; the soname does not promise more.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/quoitConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/quoitConfig.cmake ${PROJECT_BINARY_DIR}/quoitConfigVersion.cmake
  DESTINATION ${QUOIT_CMAKE_DIR} COMPONENT development)

# pkg-config finds the prefix relative to the file, so a moved prefix works.
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
set(pc_private_libs ${CMAKE_THREAD_LIBS_INIT})
if(NOT WIN32)
  set(pc_private_libs -pthread)
endif()
if(QUOIT_NEEDS_RT)
  string(APPEND pc_private_libs " -lrt")
endif()
configure_file(cmake/quoit.pc.in ${PROJECT_BINARY_DIR}/quoit.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/quoit.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# The pages of commands are installed with the tools, those of the library with its headers.
foreach(section_of 1=tools 3=development 7=development)
  string(REGEX MATCH "(.)=(.*)" unused ${section_of})
  set(section ${CMAKE_MATCH_1})
  set(component ${CMAKE_MATCH_2})
  if(TARGET manual)
    install(DIRECTORY ${PROJECT_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section}
      COMPONENT ${component} FILES_MATCHING PATTERN "*.${section}${man_suffix}" PATTERN "quoit-bridge.*" EXCLUDE)
  endif()
endforeach()

set(zsh_dir zsh/site-functions)
if(QUOIT_PACKAGES) # Debian's directory
  set(zsh_dir zsh/vendor-completions)
endif()
if(TARGET quoit_tool)
  install(TARGETS quoit_tool COMPONENT tools)
  install(FILES tools/completions/quoit.bash RENAME quoit
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT tools)
  install(FILES tools/completions/_quoit DESTINATION ${CMAKE_INSTALL_DATADIR}/${zsh_dir} COMPONENT tools)
endif()

if(TARGET quoit_bridge)
  install(TARGETS quoit_bridge COMPONENT bridge)
  install(FILES tools/completions/quoit-bridge.bash RENAME quoit-bridge
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT bridge)
  install(FILES tools/completions/_quoit-bridge DESTINATION ${CMAKE_INSTALL_DATADIR}/${zsh_dir} COMPONENT bridge)
  install(FILES tools/bridge/quoit-bridge@.service DESTINATION lib/systemd/system COMPONENT bridge)
  install(FILES tools/bridge/bridge.ini DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/quoit-bridge/examples COMPONENT bridge)
  if(TARGET manual)
    install(FILES ${PROJECT_BINARY_DIR}/man/quoit-bridge.1${man_suffix}
      DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT bridge)
  endif()
endif()

# Python's module. In a user's own prefix, ~/.local, this is where Python looks.
if(TARGET quoit_python AND NOT WIN32)
  set(python_dir lib/python${Python3_VERSION_MAJOR}.${Python3_VERSION_MINOR}/site-packages)
  if(QUOIT_PACKAGES)
    set(python_dir lib/python3/dist-packages)
  endif()
  install(DIRECTORY ${QUOIT_PYTHON_DIR}/quoit DESTINATION ${python_dir} COMPONENT python
    FILES_MATCHING PATTERN "*.py" PATTERN "*.pyi" PATTERN "py.typed")
  install(TARGETS quoit_python LIBRARY DESTINATION ${python_dir}/quoit COMPONENT python)
endif()

# Debian's packages do this in another way (cmake/packages.cmake).
if(WIN32)
  install(FILES LICENSE README.md CHANGELOG.md DESTINATION . COMPONENT runtime)
  if(QUOIT_EXAMPLES)
    install(TARGETS producer consumer RUNTIME COMPONENT tools)
  endif()
elseif(NOT QUOIT_PACKAGES)
  install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT development)
endif()
if(QUOIT_PACKAGES)
  include(cmake/packages.cmake)
endif()
