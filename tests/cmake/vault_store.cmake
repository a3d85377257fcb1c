# Share stores, the gateway client and the pipelines of libqcloud.
qc_test(unit vault_pipeline SOURCES unit/vault_pipeline.c unit/fake_gw.c DEPS base vault LABELS thread TIMEOUT 300)
