qc_test(unit qrng_qrng DEPS base qrng INTERNAL qrng LABELS thread)
qc_test(unit qrng_os DEPS base qrng)
qc_test(fault qrng_qrng DEPS base qrng INTERNAL qrng)
