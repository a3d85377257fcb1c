# The program qcloud is no library: its tests compile the files that they test.
set(QC_CLIENT ${PROJECT_SOURCE_DIR}/client)
qc_test(unit client_text DEPS base INTERNAL client SOURCES unit/client_text.c ${QC_CLIENT}/text.c)
qc_test(unit client_keep DEPS base INTERNAL client SOURCES unit/client_keep.c ${QC_CLIENT}/keep.c)
qc_test(unit client_messages DEPS base INTERNAL client
  SOURCES unit/client_messages.c ${QC_CLIENT}/messages.c ${QC_CLIENT}/messages_next.c ${QC_CLIENT}/warnings.c ${QC_CLIENT}/text.c)
qc_test(unit client_out DEPS base INTERNAL client
  SOURCES unit/client_out.c ${QC_CLIENT}/out.c ${QC_CLIENT}/messages.c ${QC_CLIENT}/messages_next.c ${QC_CLIENT}/warnings.c ${QC_CLIENT}/text.c)
qc_test(unit client_status DEPS base home qkd qrng ss vault INTERNAL client
  SOURCES unit/client_status.c ${QC_CLIENT}/status_judge.c ${QC_CLIENT}/status_random.c ${QC_CLIENT}/last_drill.c
          ${QC_CLIENT}/out.c ${QC_CLIENT}/messages.c ${QC_CLIENT}/messages_next.c ${QC_CLIENT}/warnings.c ${QC_CLIENT}/text.c)
qc_test(unit client_progress DEPS base vault INTERNAL client
  SOURCES unit/client_progress.c ${QC_CLIENT}/progress.c ${QC_CLIENT}/out.c ${QC_CLIENT}/messages.c ${QC_CLIENT}/messages_next.c ${QC_CLIENT}/warnings.c
          ${QC_CLIENT}/text.c ${QC_CLIENT}/signals.c)

# The generator of variant files, for examples/quickstart.sh and big tests. It stands alone.
add_executable(vcfgen ${PROJECT_SOURCE_DIR}/tools/gen/vcfgen.c)
target_link_libraries(vcfgen PRIVATE qc_flags)
set_target_properties(vcfgen PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

# qc_cli(NAME [TIMEOUT s]): tests/cli/NAME.py or NAME.sh with QC_BIN, the folder of the programs; ctest `cli/NAME`.
function(qc_cli NAME)
  cmake_parse_arguments(PARSE_ARGV 1 T "" "TIMEOUT" "")
  if(QC_SANITIZE STREQUAL "fuzzer" OR QC_SANITIZE STREQUAL "thread")
    return()
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  set(script ${PROJECT_SOURCE_DIR}/tests/cli/${NAME})
  if(EXISTS ${script}.py)
    set(run /usr/bin/python3 -B ${script}.py)
  else()
    set(run bash ${script}.sh)
  endif()
  add_test(NAME cli/${NAME} COMMAND ${run})
  set_tests_properties(cli/${NAME} PROPERTIES LABELS cli TIMEOUT ${T_TIMEOUT}
    ENVIRONMENT "QC_BIN=${PROJECT_BINARY_DIR}/bin;QC_SOURCE=${PROJECT_SOURCE_DIR};QC_FAULTS=$<BOOL:${QC_FAULT_POINTS}>;QC_SANITIZED=$<BOOL:${QC_SANITIZE}>")
endfunction()
qc_cli(passphrase TIMEOUT 300)
qc_cli(kit TIMEOUT 300)
qc_cli(remote TIMEOUT 600)
qc_cli(liar TIMEOUT 600)
qc_cli(ranges TIMEOUT 600)
qc_cli(resume TIMEOUT 600)
qc_cli(schemas)
qc_cli(refused TIMEOUT 300)
qc_cli(random_https)
qc_cli(completion TIMEOUT 300)
qc_cli(example_qrng)
qc_cli(doctor TIMEOUT 300)
qc_cli(drill)
qc_cli(clouds TIMEOUT 300)
qc_cli(status)
qc_cli(snapshot)
qc_cli(repair TIMEOUT 300)
qc_cli(sites TIMEOUT 600)
if(NOT QC_SANITIZE AND QC_FAULT_POINTS AND CMAKE_C_COMPILER_ID STREQUAL GNU) # once: in all builds the pages are the same
  qc_cli(man)
  qc_cli(screens)
  qc_cli(guide TIMEOUT 600)
  qc_on_clouds(clouds/guide TIMEOUT 600 COUNT 3 TLS COMMAND ${CMAKE_COMMAND} -E env QC_BIN=${PROJECT_BINARY_DIR}/bin QC_SOURCE=${PROJECT_SOURCE_DIR}
    ${QC_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/guide.py --s3 hospital.md "{tlsurl1}&ca={ca}" {credentials1} "{tlsurl2}&ca={ca}" {credentials2} "{tlsurl3}&ca={ca}" {credentials3})
endif()
qc_cli(sync TIMEOUT 600)
qc_cli(watch TIMEOUT 600)
qc_cli(versions)
qc_cli(config)
foreach(scenario IN ITEMS bad_calls basics docs_agree foreign_clouds get_fails join json losses odd_names places random special_files together)
  qc_cli(${scenario})
endforeach()
if(NOT QC_SANITIZE AND QC_FAULT_POINTS AND CMAKE_C_COMPILER_ID STREQUAL GNU)
  qc_cli(packaging TIMEOUT 3600)
endif()
