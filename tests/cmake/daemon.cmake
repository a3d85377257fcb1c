# The programs' own files are compiled into their tests: a program is no library.
if(TARGET qc_gateway_daemon)
  set(daemon ${PROJECT_SOURCE_DIR}/gateway/daemon)
  qc_test(unit daemon_range SOURCES unit/daemon_range.c ${daemon}/range.c
    DEPS base ec cloud gateway LIBS PkgConfig::microhttpd INTERNAL gateway_daemon)
  qc_fuzz(daemon_body EXTRA ${daemon}/json.c ${daemon}/range.c
    DEPS base ec cloud gateway LIBS PkgConfig::microhttpd INTERNAL gateway_daemon)
endif()
