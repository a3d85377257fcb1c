qc_test(unit cloud_conformance DEPS base cloud LABELS thread TIMEOUT 300)
qc_test(unit cloud_file DEPS base cloud INTERNAL cloud)
