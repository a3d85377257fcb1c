#!/bin/bash
# cli/example_qrng: examples/qrng/run.sh shows what its page says, and leaves nothing behind.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
: "${QC_SOURCE:?the source tree}"
TMPDIR=$T "$QC_SOURCE/examples/qrng/run.sh" >"$T/out" 2>"$T/err" || fail "the example ends with exit $?: $(cat "$T/out")"
out_has 'healthy  lab          lab:device policy=required'
out_has "stored 'by-device' v1"
out_has 'random   lab:device policy=required health=ok H=6.000'
out_has 'device=stand-in no. 1'
out_has "E1301 cannot store 'never'"
out_has 'repetition count'
out_has '(exit 13)'
out_has 'W0417'
out_has '(exit 4)'
out_has 'random   os:getrandom policy=preferred health=kernel'
out_has 'random   loaded:file policy=required health=ok H=7.000'
out_has '0000000 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00'
out_has 'qcloud-position 1 2097152 4096 '
[ "$(grep -c '^(exit ' "$T/out")" = 2 ] || fail "another command failed: $(cat "$T/out")"
[ -z "$(find "$T" -maxdepth 1 -name 'qcloud-qrng-*')" ] || fail "its directory is left"
! cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -q -e "$T/[q]cloud-qrng-" || fail "a process of it is left"
echo "example_qrng: a device, good and stuck, and pre-loaded numbers"
