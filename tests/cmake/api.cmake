# The gateway's HTTP API against docs/openapi.yaml. The documents against the tree: tools/docs.
find_program(QC_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
function(qc_python NAME SCRIPT)
  cmake_parse_arguments(PARSE_ARGV 2 T "" "TIMEOUT" "")
  add_test(NAME ${NAME} COMMAND ${QC_PYTHON} -B ${PROJECT_SOURCE_DIR}/${SCRIPT})
  set_tests_properties(${NAME} PROPERTIES LABELS api TIMEOUT ${T_TIMEOUT} ENVIRONMENT "QC_BIN=${PROJECT_BINARY_DIR}/bin")
endfunction()

qc_python(api/sources tests/api/sources.py TIMEOUT 60)
if(TARGET qc_gateway_daemon AND NOT QC_SANITIZE STREQUAL "fuzzer")
  qc_python(api/contract tests/api/contract.py TIMEOUT 900)
  qc_python(api/watch tests/api/watch.py TIMEOUT 300)
  if(NOT QC_SANITIZE) # a browser more would show nothing more
    qc_python(api/dashboard tests/api/dashboard.py TIMEOUT 600)
  endif()
  qc_python(api/tenants tests/api/tenants.py TIMEOUT 900)
  qc_python(api/hostile tests/api/hostile.py TIMEOUT 900)
endif()
