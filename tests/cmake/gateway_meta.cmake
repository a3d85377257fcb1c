# Catalogue, log, commits, engine, rebuild.
qc_test(unit gateway_engine DEPS base qrng cloud gateway LABELS thread TIMEOUT 300)
