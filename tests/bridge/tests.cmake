# SPDX-License-Identifier: MIT
# The tests of quoit-bridge, with a real nats-server. Only the release build runs them: they test what is between processes.
# They use the Python package.
if(NOT TARGET quoit_bridge OR NOT TARGET quoit_python OR NOT native OR NOT QUOIT_TEST_PREFIX MATCHES "^(release.)?$")
  return()
endif()
foreach(part carry config network storm takeover)
  set(test ${QUOIT_TEST_PREFIX}bridge_${part})
  add_test(NAME ${test} COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/bridge/${part}_test.py
    $<TARGET_FILE:quoit_bridge>)
  quoit_test_properties(${test} 3600 tool)
  set_tests_properties(${test} PROPERTIES COST 50)
  set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT QUOIT_PYTHON=${PROJECT_BINARY_DIR}/python)
endforeach()
