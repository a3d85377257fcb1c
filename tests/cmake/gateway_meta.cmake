# Catalogue, log, commits, engine, rebuild.
qc_test(unit gateway_log DEPS base gateway)
qc_test(unit gateway_engine DEPS base qrng cloud gateway LABELS thread TIMEOUT 300)
qc_test(unit gateway_rebuild DEPS base qrng cloud gateway LABELS thread TIMEOUT 300)
if(QC_FAULT_POINTS)
  qc_test(fault gateway_engine DEPS base qrng cloud gateway TIMEOUT 900)
endif()
qc_test(prop gateway_commits DEPS base qrng cloud gateway LABELS thread TIMEOUT 600)
qc_fuzz(gateway_log DEPS base gateway)
