# Share stores, the gateway client and the pipelines of libqcloud.
qc_test(unit vault_pipeline SOURCES unit/vault_pipeline.c unit/fake_gw.c DEPS base vault LABELS thread TIMEOUT 300)
qc_test(unit vault_hostile SOURCES unit/vault_hostile.c unit/fake_gw.c DEPS base vault TIMEOUT 300)
if(TARGET qc_gateway_daemon)
  qc_test(unit vault_gateway SOURCES unit/vault_gateway.c unit/fake_gw.c DEPS base vault
    ARGS $<TARGET_FILE:qc_gateway_daemon> TIMEOUT 300)
endif()
if(QC_FAULT_POINTS)
  qc_test(fault vault_put SOURCES fault/vault_put.c unit/fake_gw.c DEPS base vault TIMEOUT 300)
endif()
qc_test(unit vault_store DEPS base vault)
qc_fuzz(vault_store DEPS base vault INTERNAL vault)
qc_fuzz(vault_gw_json DEPS base vault INTERNAL vault)
qc_test(unit vault_files DEPS base vault INTERNAL vault)
