# Whole programs on directory clouds, driven from outside (tests/system/*.py). Not in sanitizer builds, where they
# would only be slow; the scenarios of tests/cli run there. `memory` is measured wherever it runs.
find_program(QC_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
function(qc_system NAME)
  cmake_parse_arguments(PARSE_ARGV 1 T "SERIAL" "TIMEOUT" "")
  if(QC_SANITIZE OR NOT TARGET qc_client)
    return()
  endif()
  add_test(NAME system/${NAME} COMMAND ${QC_PYTHON} -B ${PROJECT_SOURCE_DIR}/tests/system/${NAME}.py)
  set_tests_properties(system/${NAME} PROPERTIES LABELS system TIMEOUT ${T_TIMEOUT}
    ENVIRONMENT "QC_BIN=${PROJECT_BINARY_DIR}/bin" RUN_SERIAL "${T_SERIAL}")
endfunction()

qc_system(loss_matrix TIMEOUT 900)
qc_system(gateway_dies TIMEOUT 300)
qc_system(machine_lost TIMEOUT 300)
qc_system(reader TIMEOUT 300)
qc_system(transcript TIMEOUT 300)
qc_system(flips TIMEOUT 7200)
qc_system(memory SERIAL TIMEOUT 1800)
if(QC_FAULT_POINTS)
  qc_system(kills TIMEOUT 3600)
endif()
