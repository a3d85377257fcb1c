# What crashes, damage, rivals and full disks leave of what the gateway acknowledged.
if(QC_FAULT_POINTS)
  qc_test(fault gateway_tenants DEPS base qrng cloud gateway INTERNAL gateway TIMEOUT 300)
  qc_test(fault gateway_damage DEPS base qrng cloud gateway TIMEOUT 300)
  qc_test(fault gateway_recode DEPS base qrng cloud ec gateway INTERNAL gateway TIMEOUT 300)
  qc_test(fault gateway_takeover DEPS base qrng cloud gateway TIMEOUT 300)
  qc_test(fault gateway_disk DEPS base qrng cloud gateway TIMEOUT 300)
  qc_test(fault gateway_alloc DEPS base qrng cloud gateway TIMEOUT 300)
endif()
qc_test(prop gateway_races DEPS base qrng cloud gateway LABELS thread TIMEOUT 300)
if(QC_FAULT_POINTS AND NOT QC_SANITIZE AND TARGET qc_client)
  add_test(NAME system/disk_failed COMMAND ${QC_PYTHON} -B ${PROJECT_SOURCE_DIR}/tests/system/disk_failed.py)
  set_tests_properties(system/disk_failed PROPERTIES LABELS system TIMEOUT 600
    ENVIRONMENT "QC_BIN=${PROJECT_BINARY_DIR}/bin")
endif()
if(COMMAND qc_cli AND TARGET qc_client AND NOT QC_SANITIZE)    # a minute and a half of starting programs
  qc_cli(places_matrix TIMEOUT 600)
endif()
