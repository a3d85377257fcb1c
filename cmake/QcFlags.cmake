# qc_flags: what every target of ours is compiled and linked with.
option(QC_FAULT_POINTS "Compile in the fault points of base/fault.h and the allocator's failures" ON)
set(QC_SANITIZE "" CACHE STRING "address (with undefined), thread, fuzzer, or nothing")

find_program(QC_CCACHE ccache)
if(QC_CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${QC_CCACHE})
endif()

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")    # no NDEBUG: QC_ASSERT is on in every build
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

add_library(qc_flags INTERFACE)
target_compile_definitions(qc_flags INTERFACE _GNU_SOURCE QC_VERSION="${PROJECT_VERSION}"
  $<$<BOOL:${QC_FAULT_POINTS}>:QC_FAULT_POINTS=1>)
target_compile_options(qc_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes
  -Wswitch-enum -Wvla -Wformat=2 -Werror -fno-strict-aliasing -fno-omit-frame-pointer)
target_link_libraries(qc_flags INTERFACE Threads::Threads)

if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
  # clang 14 writes DWARF 5, which valgrind 3.19 cannot read.
  target_compile_options(qc_flags INTERFACE -gdwarf-4)
  set(QC_FORTIFY 2)
else()
  set(QC_FORTIFY 3)
  # Texts are cut on purpose, at their tail; the warning comes and goes with inlining.
  target_compile_options(qc_flags INTERFACE -Wno-format-truncation -Wformat-signedness)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(qc_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${QC_FORTIFY}
    -fstack-protector-strong -fstack-clash-protection)
  target_link_options(qc_flags INTERFACE -Wl,-z,relro,-z,now)
endif()

if(QC_SANITIZE STREQUAL "address")
  set(QC_SANITIZE_FLAGS -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(QC_SANITIZE STREQUAL "thread")
  set(QC_SANITIZE_FLAGS -fsanitize=thread)
elseif(QC_SANITIZE STREQUAL "fuzzer")
  set(QC_SANITIZE_FLAGS -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
elseif(NOT QC_SANITIZE STREQUAL "")
  message(FATAL_ERROR "QC_SANITIZE: '${QC_SANITIZE}' is none of address, thread, fuzzer")
endif()
if(QC_SANITIZE_FLAGS)
  # -g1: their reports name functions and lines; a debugger is for the dev build, and compiling takes a tenth less.
  target_compile_options(qc_flags INTERFACE ${QC_SANITIZE_FLAGS} -g1)
  # Tests take half the time of what is computed under the undefined-behaviour checks; a fuzz target is compiled for a second of use.
  if(NOT QC_SANITIZE STREQUAL "fuzzer")
    target_compile_options(qc_flags INTERFACE -Og)
  endif()
  target_link_options(qc_flags INTERFACE ${QC_SANITIZE_FLAGS})
endif()
# What the undefined-behaviour checks say of each place in the source is 4 MiB of pointers in a program: one that is not moved to
# another address leaves them alone when it starts. And the tables of the library of these checks, 6 MiB of nothing, which the leak
# checker reads at the end, are not there where it is linked in. Tests start thousands of programs: 2,500 page faults fewer for each.
if(QC_SANITIZE STREQUAL "address" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  set(CMAKE_C_LINK_OPTIONS_PIE -no-pie)
  target_link_options(qc_flags INTERFACE -static-libubsan)
endif()
