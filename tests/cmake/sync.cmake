qc_test(unit sync_ignore DEPS base sync)
qc_test(unit sync_plan DEPS base sync)
qc_test(unit sync_state DEPS base sync)
qc_test(unit sync_tree DEPS base sync)
