# SPDX-License-Identifier: MIT
# cpack runs this when it makes the packages. It adds scripts that call ldconfig to a library's package, but Debian
# requires only the trigger, which the package has. So this removes the scripts.
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
