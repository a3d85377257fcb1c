# The examples and the calls, against the library as others see it.
foreach(name IN ITEMS store heads)
  qc_test_program(example_${name} SOURCES ${PROJECT_SOURCE_DIR}/examples/libqcloud/${name}.c DEPS lib)
endforeach()
qc_test_program(libqcloud_calls SOURCES cli/libqcloud_calls.c DEPS base lib)
if(NOT QC_SANITIZE STREQUAL "fuzzer" AND NOT QC_SANITIZE STREQUAL "thread")
  add_test(NAME cli/libqcloud COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cli/libqcloud.sh $<TARGET_FILE_DIR:qc_libqcloud_calls>)
  set_tests_properties(cli/libqcloud PROPERTIES LABELS cli TIMEOUT 300
    ENVIRONMENT "QC_BIN=${PROJECT_BINARY_DIR}/bin;QC_SOURCE=${PROJECT_SOURCE_DIR};QC_BUILD=${PROJECT_BINARY_DIR};QC_SANITIZED=$<BOOL:${QC_SANITIZE}>;CC=${CMAKE_C_COMPILER}")
endif()
