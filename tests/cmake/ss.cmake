qc_test(unit ss_shamir DEPS base ss INTERNAL ss)
qc_test(unit ss_key DEPS base ss)
qc_test(prop ss_shamir DEPS base ss TIMEOUT 1800)    # with long counts
qc_test(fault ss_key DEPS base ss)
qc_test(unit ss_xor23 DEPS base ss)
qc_test(prop ss_xor23 DEPS base qrng ss)
qc_ct(ss_xor23 DEPS base ss)
qc_test(kat ss_gfshare DEPS base ss)
qc_test(kat ss_vectors DEPS base ss)
qc_ct(ss_shamir DEPS base ss)
add_test(NAME kat/ss_model COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/kat/ss_model.py
  --check ${CMAKE_CURRENT_SOURCE_DIR}/kat/ss_vectors.txt)
set_tests_properties(kat/ss_model PROPERTIES LABELS kat TIMEOUT 60)
qc_ct(ss_planted DEPS base)
if(TEST ct/ss_planted)
  set_tests_properties(ct/ss_planted PROPERTIES
    PASS_REGULAR_EXPRESSION "depends on uninitialised value")
endif()
qc_fuzz(ss_combine DEPS base ss)
