qc_test(unit qrng_qrng DEPS base qrng INTERNAL qrng LABELS thread)
qc_test(unit qrng_os DEPS base qrng)
qc_test(unit qrng_health DEPS base qrng)
qc_test(unit qrng_gate DEPS base qrng INTERNAL qrng)
qc_test(unit qrng_condition DEPS base qrng)
qc_ct(qrng_condition DEPS base qrng)
qc_test(kat qrng_cutoffs DEPS base qrng)
qc_test(prop qrng_health DEPS base qrng LIBS m TIMEOUT 1800)    # with long counts
qc_test(fault qrng_qrng DEPS base qrng INTERNAL qrng)
add_test(NAME kat/qrng_cutoffs_model COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/kat/qrng_cutoffs.py
  --check ${CMAKE_CURRENT_SOURCE_DIR}/kat/qrng_cutoffs.txt)
set_tests_properties(kat/qrng_cutoffs_model PROPERTIES LABELS kat TIMEOUT 60)
