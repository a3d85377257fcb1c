qc_test(unit cloud_conformance DEPS base cloud LABELS thread TIMEOUT 300)
