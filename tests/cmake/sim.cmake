# qcloud-sim (tests/sim): the engine in a simulated world. What it asks the system and the clouds for leads there by the link.
# Not in sanitizer builds: they do not know tasks that are no threads.
if(QC_SANITIZE)
  return()
endif()
qc_test_program(sim SOURCES sim/world.c sim/heap.c sim/threads.c sim/disk.c sim/files.c sim/vfs.c sim/objects.c sim/cloud.c
  sim/oracle.c sim/promises.c sim/gateway.c sim/client.c sim/bundles.c sim/names.c sim/history.c sim/ending.c sim/lives.c sim/loss.c sim/plays.c sim/hunt.c
  sim/main.c DEPS base ec cloud gateway INTERNAL gateway cloud
  LIBS PkgConfig::sqlite3 PkgConfig::sodium m)
set_target_properties(qc_sim PROPERTIES OUTPUT_NAME qcloud-sim RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
file(READ ${CMAKE_CURRENT_SOURCE_DIR}/sim/wrap.h sim_wrap)
string(REGEX MATCHALL "X\\([a-z0-9_]+\\)" sim_calls "${sim_wrap}")
foreach(call IN LISTS sim_calls)
  string(REGEX REPLACE "X\\((.*)\\)" "\\1" call ${call})
  target_link_options(qc_sim PRIVATE LINKER:--wrap=${call})
endforeach()
if(CMAKE_BUILD_TYPE STREQUAL "Release") # the count is for the optimised program: label size, as in the preset
  # 200, or 10,000: on all processors, with what others leave of them.
  add_test(NAME sim/histories COMMAND nice $<TARGET_FILE:qc_sim> --jobs 0)
  # A day: 10,000 take half an hour here, and a hundred times that is no failure. One that hangs ends itself (plays.c).
  set_tests_properties(sim/histories PROPERTIES LABELS "sim;size" TIMEOUT 86400 COST 500 PROCESSORS 2)
else()
  add_test(NAME sim/histories COMMAND qc_sim --histories 8 --twice 1)
  add_test(NAME sim/loss COMMAND qc_sim --loss-check)
  add_test(NAME sim/choosing COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/sim/choosing.py $<TARGET_FILE:qc_sim>
    ${PROJECT_SOURCE_DIR}/docs/choosing.md)
  add_test(NAME sim/planted COMMAND qc_sim --planted few)
  set_tests_properties(sim/histories sim/loss sim/choosing sim/planted PROPERTIES LABELS sim TIMEOUT 3600)
endif()
