# SPDX-License-Identifier: MIT
# Run by cpack when the packages are made. It gives a library's package scripts that call ldconfig; Debian wants the
# trigger alone, which the package has. So they are taken out.
foreach(package IN LISTS CPACK_PACKAGE_FILES)
  if(package MATCHES "/libquoit0_[^/]*$")
    set(tree ${CPACK_TEMPORARY_DIRECTORY}-without-scripts)
    file(REMOVE_RECURSE ${tree})
    execute_process(COMMAND dpkg-deb --raw-extract ${package} ${tree} COMMAND_ERROR_IS_FATAL ANY)
    file(REMOVE ${tree}/DEBIAN/postinst ${tree}/DEBIAN/postrm)
    execute_process(COMMAND dpkg-deb --root-owner-group --build ${tree} ${package}
      OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
    file(REMOVE_RECURSE ${tree})
  endif()
endforeach()
