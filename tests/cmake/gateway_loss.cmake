# What crashes, damage, rivals and full disks leave of what the gateway acknowledged.
if(QC_FAULT_POINTS)
  qc_test(fault gateway_damage DEPS base qrng cloud gateway TIMEOUT 300)
  qc_test(fault gateway_takeover DEPS base qrng cloud gateway TIMEOUT 300)
  qc_test(fault gateway_disk DEPS base qrng cloud gateway TIMEOUT 300)
  qc_test(fault gateway_alloc DEPS base qrng cloud gateway TIMEOUT 300)
endif()
qc_test(prop gateway_races DEPS base qrng cloud gateway LABELS thread TIMEOUT 300)
