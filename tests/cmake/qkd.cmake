qc_test(unit qkd_container DEPS base net qkd INTERNAL qkd)
qc_test(unit qkd_reply DEPS base net qkd INTERNAL qkd)
qc_test(unit qkd_pads DEPS base net qkd INTERNAL qkd LABELS thread)
qc_test(unit qkd_plan DEPS base net qkd LIBS m)
qc_test(unit qkd_use DEPS base net qkd LIBS m)
qc_fuzz(qkd_pads DEPS base net qkd INTERNAL qkd)
if(QC_FAULT_POINTS)
  qc_test(fault qkd_pads DEPS base net qkd INTERNAL qkd)
endif()
qc_ct(qkd_base64 DEPS base net qkd INTERNAL qkd)
qc_fuzz(qkd_container DEPS base net qkd INTERNAL qkd)
qc_fuzz(qkd_status DEPS base net qkd INTERNAL qkd)

# Moved by tests/cli/qkd_client.py.
if(NOT QC_SANITIZE STREQUAL "fuzzer" AND NOT QC_SANITIZE STREQUAL "thread")
  qc_test_program(qkd_ask SOURCES cli/qkd_ask.c DEPS base net qkd)
  # As in a release: a symbol that is bound late puts the registers, and what memcpy left in them, on the stack.
  target_link_options(qc_qkd_ask PRIVATE -Wl,-z,now)
  qc_test_program(pads_hold SOURCES cli/pads_hold.c DEPS base net qkd)
  target_link_options(qc_pads_hold PRIVATE -Wl,-z,now)
  add_test(NAME cli/pads_search COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/pads_search.py)
  set_tests_properties(cli/pads_search PROPERTIES LABELS cli TIMEOUT 600
    ENVIRONMENT "QC_BIN=${PROJECT_BINARY_DIR}/bin;QC_SANITIZED=$<BOOL:${QC_SANITIZE}>")
  add_test(NAME cli/qkd_client COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/qkd_client.py)
  set_tests_properties(cli/qkd_client PROPERTIES LABELS cli TIMEOUT 600 
    ENVIRONMENT "QC_BIN=${PROJECT_BINARY_DIR}/bin;QC_SANITIZED=$<BOOL:${QC_SANITIZE}>")
endif()

if(TARGET qc_qkd_kme AND TARGET qc_qkd_ask)
  if(COMMAND qc_cli) # in client.cmake
    qc_cli(random_kme TIMEOUT 300)
  endif()
  add_test(NAME cli/kme COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/kme.py)
  set_tests_properties(cli/kme PROPERTIES LABELS cli TIMEOUT 600
    ENVIRONMENT "QC_BIN=${PROJECT_BINARY_DIR}/bin;QC_FAULTS=$<BOOL:${QC_FAULT_POINTS}>;QC_SANITIZED=$<BOOL:${QC_SANITIZE}>")
endif()

# The program qcloud-kme is no library: its tests compile the files that they test.
if(TARGET qc_qkd_kme)
  set(kme ${PROJECT_SOURCE_DIR}/qkd/kme)
  qc_test(unit kme_network SOURCES unit/kme_network.c ${kme}/network.c ${kme}/make.c ${kme}/fault.c DEPS base net qkd LIBS m INTERNAL qkd_kme)
  qc_fuzz(kme_conf DEPS base net qkd INTERNAL qkd_kme)
  target_sources(qc_fuzz_kme_conf PRIVATE ${kme}/network.c ${kme}/conf.c ${kme}/decoy.c)
  target_link_libraries(qc_fuzz_kme_conf PRIVATE m)
  qc_test(unit kme_decoy SOURCES unit/kme_decoy.c ${kme}/decoy.c DEPS base net qkd LIBS m INTERNAL qkd_kme)
  qc_fuzz(kme_fault DEPS base net qkd INTERNAL qkd_kme)
  target_sources(qc_fuzz_kme_fault PRIVATE ${kme}/network.c ${kme}/fault.c)
endif()

# So is qcloud-link.
if(TARGET qc_qkd_link)
  set(link ${PROJECT_SOURCE_DIR}/qkd/link)
  qc_fuzz(link_wire DEPS base net qkd INTERNAL qkd_link)
  target_sources(qc_fuzz_link_wire PRIVATE ${link}/wire.c)
  qc_test(unit link_forecast SOURCES unit/link_forecast.c ${link}/forecast.c DEPS base qkd LIBS m INTERNAL qkd_link)
  qc_fuzz(link_conf DEPS base net INTERNAL qkd_link)
  target_sources(qc_fuzz_link_conf PRIVATE ${link}/conf.c)
  # Uses of pad are recorded where fault points are; one build is enough.
  if(TARGET qc_qkd_kme AND TARGET qc_psk_end AND QC_FAULT_POINTS AND NOT QC_SANITIZE AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    add_test(NAME cli/link COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/link.py)
    set_tests_properties(cli/link PROPERTIES LABELS cli TIMEOUT 900 ENVIRONMENT "QC_BIN=${PROJECT_BINARY_DIR}/bin")
    add_test(NAME cli/levels COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/levels.py)
    set_tests_properties(cli/levels PROPERTIES LABELS cli TIMEOUT 900 ENVIRONMENT "QC_BIN=${PROJECT_BINARY_DIR}/bin")
  endif()
endif()

# qcloud and qcloud-gateway with nothing between them but a key.
if(TARGET qc_qkd_kme AND TARGET qc_client AND TARGET qc_gateway_daemon)
  add_test(NAME cli/keyed COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/keyed.py)
  set_tests_properties(cli/keyed PROPERTIES LABELS cli TIMEOUT 900 ENVIRONMENT "QC_BIN=${PROJECT_BINARY_DIR}/bin")
endif()
