# PostgreSQL. What needs a server is run by postgres/..: unit_pg_db alone would find none.
qc_test(unit pg_sql DEPS base pg INTERNAL pg LIBS PkgConfig::libpq)
if(NOT QC_SANITIZE STREQUAL "fuzzer")
  qc_test_program(unit_pg_db SOURCES unit/pg_db.c DEPS base pg INTERNAL pg LIBS PkgConfig::libpq)
  qc_on_postgres(postgres/db SANITIZED PROGRAMS unit/pg_db)
endif()
qc_fuzz(pg_conf DEPS base pg INTERNAL pg LIBS PkgConfig::libpq)
