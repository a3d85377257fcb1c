# The program qcloud-salvage is no library: its tests compile the files that they test.
set(QC_SALVAGE ${PROJECT_SOURCE_DIR}/salvage)
qc_test(unit salvage_digits DEPS base INTERNAL salvage SOURCES unit/salvage_digits.c ${QC_SALVAGE}/digits.c)
qc_test(unit salvage_index DEPS base vault gateway INTERNAL salvage SOURCES unit/salvage_index.c ${QC_SALVAGE}/index.c)
qc_test(unit salvage_out DEPS base vault gateway INTERNAL salvage SOURCES unit/salvage_out.c ${QC_SALVAGE}/out.c)
qc_test(unit gateway_stands DEPS base gateway)
qc_fuzz(salvage_digits DEPS base INTERNAL salvage)
target_sources(qc_fuzz_salvage_digits PRIVATE ${QC_SALVAGE}/digits.c)
