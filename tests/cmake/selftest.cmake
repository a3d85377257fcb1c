qc_test(unit selftest_report DEPS base qrng selftest)
