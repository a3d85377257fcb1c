# The second reader (Python, written from docs/FORMAT.md alone) against the vectors of the sealed object.
find_program(QC_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(NOT QC_SANITIZE)    # nothing here is compiled: once, in dev, is enough
  add_test(NAME kat/second_reader COMMAND ${QC_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/reader/vectors.py)
  set_tests_properties(kat/second_reader PROPERTIES LABELS reader TIMEOUT 300)
endif()
