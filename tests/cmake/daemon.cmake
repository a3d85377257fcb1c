# The programs' own files are compiled into their tests: a program is no library.
if(TARGET qc_gateway_daemon)
  set(daemon ${PROJECT_SOURCE_DIR}/gateway/daemon)
  qc_test(unit daemon_range SOURCES unit/daemon_range.c ${daemon}/range.c
    DEPS base ec net qkd cloud gateway LIBS PkgConfig::microhttpd INTERNAL gateway_daemon)
  qc_test(unit daemon_holds SOURCES unit/daemon_holds.c ${daemon}/holds.c DEPS base ec net qkd cloud gateway INTERNAL gateway_daemon)
  qc_test(unit daemon_conf SOURCES unit/daemon_conf.c ${daemon}/conf.c DEPS base ec net qkd cloud gateway INTERNAL gateway_daemon)
  qc_test(unit daemon_prices SOURCES unit/daemon_prices.c ${daemon}/prices.c ${daemon}/json.c
    DEPS base ec net qkd cloud gateway LIBS PkgConfig::microhttpd INTERNAL gateway_daemon)
  qc_test(unit daemon_watch SOURCES unit/daemon_watch.c ${daemon}/watch.c
    DEPS base ec net qkd cloud gateway INTERNAL gateway_daemon LABELS thread)
  qc_test(unit daemon_metrics SOURCES unit/daemon_metrics.c ${daemon}/metrics.c ${daemon}/figures.c ${daemon}/page.c
    ${daemon}/judge.c ${daemon}/holds.c ${daemon}/levels.c ${daemon}/watch.c
    DEPS base ec net qkd cloud gateway LIBS PkgConfig::microhttpd INTERNAL gateway_daemon)
  qc_test(unit daemon_dashboard SOURCES unit/daemon_dashboard.c ${daemon}/dashboard.c ${daemon}/figures.c ${daemon}/page.c
    ${daemon}/judge.c ${daemon}/watch.c DEPS base ec net qkd cloud gateway LIBS PkgConfig::microhttpd INTERNAL gateway_daemon)
  qc_test(unit daemon_visitors SOURCES unit/daemon_visitors.c ${daemon}/visitors.c ${daemon}/quiet.c
    DEPS base ec net qkd cloud gateway LIBS PkgConfig::microhttpd INTERNAL gateway_daemon LABELS thread)
  qc_fuzz(daemon_conf EXTRA ${daemon}/conf.c DEPS base ec net qkd cloud gateway INTERNAL gateway_daemon)
  qc_fuzz(daemon_prices EXTRA ${daemon}/prices.c ${daemon}/json.c
    DEPS base ec net qkd cloud gateway LIBS PkgConfig::microhttpd INTERNAL gateway_daemon)
  qc_fuzz(daemon_tenant EXTRA ${daemon}/tenant_body.c ${daemon}/auth.c ${daemon}/json.c
    DEPS base ec net qkd cloud gateway LIBS PkgConfig::microhttpd INTERNAL gateway_daemon)
  qc_fuzz(daemon_body EXTRA ${daemon}/json.c ${daemon}/members.c ${daemon}/range.c
    DEPS base ec net qkd cloud gateway LIBS PkgConfig::microhttpd INTERNAL gateway_daemon)
endif()
