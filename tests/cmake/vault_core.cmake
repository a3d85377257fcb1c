# The sealed object and what belongs to it; share stores and pipelines are in vault_store.cmake.
qc_test(unit vault_seal DEPS base ss vault)

# kat/vault_vectors: what is committed in kat/seal is what the generator writes today.
if(NOT QC_SANITIZE STREQUAL "fuzzer" AND NOT QC_SANITIZE STREQUAL "thread")
  qc_test_program(gen_vectors SOURCES kat/gen_vectors.c kat/gen_objects.c kat/gen_refusals.c kat/gen_fields.c kat/gen_mixtures.c kat/gen_store.c DEPS base ss vault
    INTERNAL vault)
  add_test(NAME kat/vault_vectors COMMAND sh -c
    "rm -rf seal_vectors && mkdir seal_vectors && $<TARGET_FILE:qc_gen_vectors> seal_vectors && diff -r -x store.db -x kdf_suite2.json seal_vectors ${CMAKE_CURRENT_SOURCE_DIR}/kat/seal"
    WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  set_tests_properties(kat/vault_vectors PROPERTIES LABELS kat TIMEOUT 120)
endif()
add_test(NAME kat/vault_second_reader COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/kat/seal_check.py
  ${CMAKE_CURRENT_SOURCE_DIR}/kat/seal)
set_tests_properties(kat/vault_second_reader PROPERTIES LABELS kat TIMEOUT 120)
# kat/suite2: the derivations of suite 2, which no program uses yet, are what their generator writes.
add_test(NAME kat/suite2 COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/kat/gen_suite2.py --check
  ${CMAKE_CURRENT_SOURCE_DIR}/kat/seal)
set_tests_properties(kat/suite2 PROPERTIES LABELS kat TIMEOUT 60)
qc_test(unit vault_refuse DEPS base ss vault INTERNAL vault TIMEOUT 600)
qc_test(unit vault_geometry DEPS base vault)
qc_test(unit vault_slice DEPS base vault)
qc_test(unit vault_name DEPS base ss vault INTERNAL vault)
qc_test(unit vault_entry DEPS base ss vault)
qc_test(unit vault_record DEPS base ss vault)
qc_test(unit vault_certificate DEPS base vault)
qc_fuzz(vault_certificate DEPS base vault)
qc_test(unit vault_paths DEPS base ss vault)
qc_test(unit vault_meta DEPS base ss vault INTERNAL vault)
qc_test(unit vault_xattrs DEPS base vault)
qc_test(unit vault_shares DEPS base ss vault)
qc_test(fault vault_seal DEPS base ss vault TIMEOUT 600)
qc_test(prop vault_seal DEPS base ss vault TIMEOUT 1800)
qc_test(unit vault_handoff DEPS base vault INTERNAL vault LABELS thread)
qc_test(unit vault_xor23 DEPS base ss vault)
qc_test(fault vault_xor23 DEPS base ss vault)
qc_fuzz(vault_xor23 DEPS base ss vault)
# Quick in a release build alone: label size.
qc_test(prop vault_xor23_stream DEPS base qrng ss vault LABELS size TIMEOUT 3600)
qc_test(kat vault_xor23 DEPS base ss vault)
add_test(NAME kat/xor23_model COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/kat/xor23_model.py
  --check ${CMAKE_CURRENT_SOURCE_DIR}/kat/vault_xor23.txt)
set_tests_properties(kat/xor23_model PROPERTIES LABELS kat TIMEOUT 60)
# unit/vault_kit reads the vectors of kat/vault_kit.txt; kat/kit_model: they, and the list, are what they should be.
qc_test(unit vault_kit DEPS base ss vault INTERNAL vault)
add_test(NAME kat/kit_model COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/kat/kit_model.py
  --check ${CMAKE_CURRENT_SOURCE_DIR}/kat/vault_kit.txt ${PROJECT_SOURCE_DIR}/vault/kit_words.c)
set_tests_properties(kat/kit_model PROPERTIES LABELS kat TIMEOUT 60)
qc_fuzz(vault_kit DEPS base ss vault)
qc_ct(vault_kit DEPS base ss vault INTERNAL vault)
qc_fuzz(vault_frame DEPS base vault)
qc_fuzz(vault_backup DEPS base vault)
qc_fuzz(vault_record DEPS base ss vault)
qc_fuzz(vault_path DEPS base vault)
qc_fuzz(vault_entry DEPS base vault)
qc_ct(vault_shares DEPS base ss vault)
