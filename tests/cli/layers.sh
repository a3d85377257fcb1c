#!/bin/bash
# cli/layers: the build refuses a module that names a sibling or a later one, and a header that it did not list.
set -eu
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

mkdir -p "$tree"/{low,left,right,top}/include/{low,left,right,top}
for m in low left right top; do
    echo "int ${m}_f(void);" >"$tree/$m/include/$m/$m.h"
    printf '#include "%s/%s.h"\nint %s_f(void) { return 0; }\n' $m $m $m >"$tree/$m/$m.c"
done
cat >"$tree/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.25)
project(layers LANGUAGES C)
add_library(qc_flags INTERFACE)
include($source_dir/cmake/QcModule.cmake)
foreach(m low left right top)
  add_subdirectory(\${m})
endforeach()
EOF
write() { # MODULE LAYER DEPS..
    echo "qc_module($1 LAYER $2 SOURCES $1.c DEPS ${*:3})" >"$tree/$1/CMakeLists.txt"
}
sound() {
    write low 0
    write left 1 low
    write right 1 low
    write top 2 low left
}
configure() { cmake -S "$tree" -B "$tree/build" -G Ninja >"$tree/log" 2>&1; }
refused() { # TEXT
    if configure; then
        echo "cli/layers: expected a refusal: $1"
        exit 1
    fi
    tr -s ' \n' ' ' <"$tree/log" | grep -qF "$1" || { cat "$tree/log"; exit 1; }
}

sound
configure || { cat "$tree/log"; exit 1; }
cmake --build "$tree/build" >"$tree/log" 2>&1 || { cat "$tree/log"; exit 1; }

write right 1 low left
refused 'right (layer 1) may not use left (layer 1)'
sound
write left 1 low top
refused "left uses 'top', which is not declared before it"
sound
write left 1x low
refused 'needs LAYER n and SOURCES'

# The link would find right's header if its folder leaked through: it must not.
sound
write right 1 low
printf '#include "right/right.h"\nint top_f(void);\nint top_f(void) { return right_f(); }\n' >"$tree/top/top.c"
configure
if cmake --build "$tree/build" >"$tree/log" 2>&1; then
    echo "cli/layers: a header of a module that was not listed was found"
    exit 1
fi
grep -q 'right/right.h' "$tree/log"
echo "cli/layers: 4 refusals"
