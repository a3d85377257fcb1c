qc_test(unit net_client DEPS base net LIBS PkgConfig::microhttpd LABELS thread)
qc_test(unit net_peers DEPS base net LABELS thread)
