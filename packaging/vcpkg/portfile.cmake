# SPDX-License-Identifier: MIT
# The port for vcpkg.
vcpkg_download_distfile(archive
  URLS "@ARCHIVE@"
  FILENAME "quoit-@VERSION@.tar.gz"
  SHA512 @SHA512@)
vcpkg_extract_source_archive(SOURCE_PATH ARCHIVE "${archive}")
vcpkg_check_features(OUT_FEATURE_OPTIONS features FEATURES tools QUOIT_TOOLS)
string(COMPARE EQUAL "${VCPKG_LIBRARY_LINKAGE}" "dynamic" shared)

vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS ${features} -DQUOIT_SHARED=${shared} -DQUOIT_WERROR=OFF -DQUOIT_TESTS=OFF -DQUOIT_BENCH=OFF
    -DQUOIT_EXAMPLES=OFF -DQUOIT_PYTHON=OFF -DQUOIT_BRIDGE=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/quoit)
vcpkg_fixup_pkgconfig()
if("tools" IN_LIST FEATURES)
  vcpkg_copy_tools(TOOL_NAMES quoit AUTO_CLEAN)
endif()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
foreach(file LICENSE README.md CHANGELOG.md) # installed there for Windows
  file(REMOVE "${CURRENT_PACKAGES_DIR}/${file}" "${CURRENT_PACKAGES_DIR}/debug/${file}")
endforeach()
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
