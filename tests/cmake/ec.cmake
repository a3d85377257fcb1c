qc_test(unit ec_geometry DEPS base ec)
qc_test(unit ec_coder DEPS base ec LABELS thread)
qc_test(prop ec_coder DEPS base ec)
qc_test(kat ec_matrix DEPS base ec)
if(TARGET qc_kat_ec_matrix)
  add_test(NAME kat/ec_model COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/kat/ec_matrix.py
    $<TARGET_FILE:qc_kat_ec_matrix>)
  set_tests_properties(kat/ec_model PROPERTIES LABELS kat TIMEOUT 120)
endif()
