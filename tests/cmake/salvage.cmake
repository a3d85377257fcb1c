# The program qcloud-salvage is no library: its tests compile the files that they test.
set(QC_CLIENT ${PROJECT_SOURCE_DIR}/client)
set(QC_SALVAGE ${PROJECT_SOURCE_DIR}/salvage)
qc_test(unit salvage_digits DEPS base INTERNAL salvage SOURCES unit/salvage_digits.c ${QC_SALVAGE}/digits.c)
qc_test(unit salvage_index DEPS base vault gateway INTERNAL salvage SOURCES unit/salvage_index.c ${QC_SALVAGE}/index.c)
qc_test(unit salvage_out DEPS base vault gateway INTERNAL salvage SOURCES unit/salvage_out.c ${QC_SALVAGE}/out.c)
qc_test(unit gateway_stands DEPS base gateway)
qc_fuzz(salvage_digits DEPS base INTERNAL salvage)
target_sources(qc_fuzz_salvage_digits PRIVATE ${QC_SALVAGE}/digits.c)

# All of it but its main(), in the test's process.
set(QC_SALVAGE_ALL ${QC_SALVAGE}/chain.c ${QC_SALVAGE}/digits.c ${QC_SALVAGE}/files.c ${QC_SALVAGE}/index.c ${QC_SALVAGE}/out.c
  ${QC_SALVAGE}/report.c ${QC_SALVAGE}/rootkey.c ${QC_SALVAGE}/run.c ${QC_SALVAGE}/scan.c ${QC_SALVAGE}/segment.c
  ${QC_SALVAGE}/stored.c ${QC_SALVAGE}/stores.c ${QC_CLIENT}/text.c)
foreach(test fault/salvage_alloc prop/salvage_damage)
  string(REGEX REPLACE "/.*" "" kind ${test})
  string(REGEX REPLACE ".*/" "" name ${test})
  qc_test(${kind} ${name} DEPS base ec ss vault gateway INTERNAL salvage client SOURCES ${test}.c ${QC_SALVAGE_ALL} TIMEOUT 600)
endforeach()
