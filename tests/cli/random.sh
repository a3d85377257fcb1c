#!/bin/bash
# cli/random: sources and policies of random.conf as a user meets them. required: exit 13 and nothing written; preferred:
# exit 4 and recorded; os: exit 0. What an object says of its keys, also one from before there was a configuration. Reads
# never need a source.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
mkdir -p "$QCLOUD_HOME"
random_file a.bin 3000
conf=$QCLOUD_HOME/random.conf

# source POLICY PATH [LINE..]
configure()
{
    printf '[policy]\ndefault = %s\n[source lab]\nkind = %s\npath = %s\nidentity = no. 4711\n' "$1" "$2" "$3" >"$conf"
    shift 3
    rm -rf "$QCLOUD_HOME/state/random" # another source, of which there were no alarms
    printf '%s\n' "$@" >>"$conf"
}

# A vault's own secrets: required, and nothing is made, no gateway either; preferred, and it is told.
vault=(--local --k 3 --share1 "$T/share1" --share2 "$T/share2")
for i in 1 2 3 4 5; do
    vault+=(--cloud "c$i=file://$T/cloud$i")
done
configure required command '/bin/cat /dev/zero'
expect_exit 13 init "${vault[@]}"
err_three_parts E1301
for made in cloud1 cloud5 share1 share2 home/state/gateway home/qcloud.conf; do
    [ ! -e "$T/$made" ] || fail "$made was made without a source"
done
configure preferred command '/bin/cat /dev/zero'
expect_exit 4 init --json "${vault[@]}"
json_ok
[ "$(json_get 'lines[-1]["exit"], lines[-1]["summary"]["random"].split()[:2]')" = "(4, ['os:getrandom', 'policy=preferred'])" ] ||
    fail "init --json: where the secrets came from"
[ "$(json_get '"W0422" in [x["id"] for x in lines if x["type"] == "warning"]')" = True ] || fail "init: no warning"
rm "$conf"

# No configuration: the operating system, and that is what was asked for.
expect_exit 0 put a.bin os
expect_exit 0 explain os
out_has 'random   os:getrandom policy=os health=kernel'
out_has 'share1   drawn, generation 1, in '
out_has 'share2   drawn, generation 1, in '
out_has ', 0 missing, '
expect_exit 0 rng list
out_has 'policy   os (objects), os (xor23)'

# A source in health.
configure required command '/bin/cat /dev/urandom'
expect_exit 0 rng list --json
json_ok
[ "$(json_get 'lines[2]["repetition_cutoff"], lines[2]["proportion_cutoff"]')" = '(8, 35)' ] || fail "cutoffs of six bits"
expect_exit 0 rng test
out_has 'healthy  lab'
out_has 'healthy  os'
expect_exit 0 put a.bin good
expect_exit 0 explain good
out_has 'random   lab:command policy=required health=ok H=6.000 rct=8 apt=35 alarms=0 condition=hmac-sha-256 mixed=os bytes='
out_has ' device=no. 4711'
expect_exit 0 explain --json good
json_ok
[ "$(json_get 'lines[1]["random"][:12]')" = lab:command ] || [ "$(json_get 'lines[1]["random"][:12]')" = 'lab:command ' ] || fail "random"
configure required command '/bin/cat /dev/urandom' 'condition = toeplitz'
expect_exit 0 put a.bin bulk
expect_exit 0 explain bulk
out_has 'condition=toeplitz'

# required, and the source is stuck, silent, or not there: nothing is written.
for bad in '/bin/cat /dev/zero' '/bin/sleep 100' '/nonexistent' '/usr/bin/head -c 1100 /dev/urandom'; do # the last: amid the first key
    configure required command "$bad" 'stall = 300'
    expect_exit 13 put a.bin never
    err_three_parts E1301
    err_has 'the source lab is '
    expect_exit 13 rng test lab
    err_three_parts E1302
    out_has 'FAILED   lab'
    for i in 1 2 3 4 5; do
        [ -z "$(find "$T/cloud$i" -newer "$conf" -type f)" ] || fail "something was written to cloud $i"
    done
    [ -z "$(ls "$QCLOUD_HOME/state/journal" 2>/dev/null)" ] || fail "a journal was left"
done
expect_exit 0 ls # reads need no source
printf '%s\n' bulk good os >want
same want out
expect_exit 0 get good again.bin
same a.bin again.bin
expect_exit 0 verify good

# preferred: done, with exit 4, and recorded.
configure preferred command '/bin/cat /dev/zero'
expect_exit 4 put a.bin second-best
err_has W0417
err_has 'repetition count'
err_has "stored 'second-best'"
configure preferred command '/usr/bin/head -c 1100 /dev/urandom' # it passed its tests, and gave too little
expect_exit 0 put --degraded-ok a.bin third
err_has W0417
expect_exit 0 explain third
out_has 'random   os:getrandom policy=preferred health=kernel bytes='
expect_exit 0 explain second-best
out_has 'random   os:getrandom policy=preferred health=kernel bytes='
out_has 'instead=lab'
configure preferred command '/bin/cat /dev/urandom'
expect_exit 0 put a.bin best
expect_exit 0 explain os good best # each as it was made
out_has 'os:getrandom policy=os health=kernel'
out_has 'lab:command policy=required'
out_has 'lab:command policy=preferred'

# What was made without a source is found and sealed anew: the same bytes, times and mode, new keys, the next version.
configure os command '/bin/cat /dev/urandom'
expect_exit 0 ls --where rng=os
printf '%s\n' os second-best third >want
same want out
expect_exit 0 ls --where rng=lab
printf '%s\n' best bulk good >want
same want out
expect_exit 0 ls --where rng=unknown
[ ! -s out ] || fail "an object does not say where its keys came from"
expect_exit 2 ls --where colour=red
expect_exit 2 reseal
expect_exit 2 reseal --where rng=os a b
expect_exit 2 reseal --where rng=os # by the policy os it would be no better
err_has 'the policy in'
configure preferred command '/bin/cat /dev/zero'
expect_exit 13 reseal --where rng=os # a source that is preferred is required here
expect_exit 0 ls -l os
out_has '  v1 '
random_file long.bin 40000000
chmod 640 long.bin
touch -d 2001-02-03T04:05:06Z long.bin
expect_exit 4 put long.bin second-best
configure preferred command '/bin/cat /dev/urandom'
expect_exit 0 reseal --where rng=os second*
err_has "stored 'second-best' v3"
expect_exit 0 reseal os third
expect_exit 0 ls --where rng=os
[ ! -s out ] || fail "objects of the kernel's generator are left"
expect_exit 0 explain second-best
out_has 'lab:command policy=required'
expect_exit 0 get second-best long.back
same long.bin long.back
[ "$(stat -c %a.%Y long.back)" = "$(stat -c %a.%Y long.bin)" ] || fail "time or mode changed"
expect_exit 0 verify
expect_exit 3 reseal nobody
rm -f long.bin long.back

# Three alarms within an hour, in as many processes: it is shut off, also when it is well again, until somebody lets it in.
configure required command '/bin/cat /dev/zero'
for _ in 1 2 3; do
    expect_exit 13 put a.bin never
done # each is an alarm, or more where the command took long
err_has 'shut off until it is enabled'
expect_exit 13 rng enable lab
expect_exit 13 put a.bin never
err_has 'three health alarms within an hour'
sed -i 's|/dev/zero|/dev/urandom|' "$conf"
expect_exit 13 put a.bin never
expect_exit 0 rng test lab
expect_exit 0 rng list
out_has 'qcloud rng enable lab'
expect_exit 4 status
out_has 'random: policy required (objects), required (xor23); lab (shut off since 2'
out_has 'act   the source of randomness lab is shut off since 2'
out_has 'nothing is stored, since the policy requires one. '
out_has 'qcloud rng enable lab'
expect_exit 4 status --json
json_ok
status='[line for line in lines if "status" in line][0]["status"]'
[ "$(json_get "$status"'["random"]["sources"][0]["shut_off"], '"$status"'["green"]')" = '(True, False)' ] || fail "status --json: shut off"
[ "$(json_get 'sum("rng enable lab" in r["advice"] for r in '"$status"'["reasons"])')" = 1 ] || fail "status --json: what to run"
sed -i 's/= required/= preferred/' "$conf"
expect_exit 4 status
out_has 'look  the source of randomness lab is shut off since 2'
sed -i 's/= preferred/= os/' "$conf"
q status
out_has 'lab (shut off since 2'
out_lacks 'the source of randomness' # which nobody asks
sed -i 's/^default = os/default = required/' "$conf"
printf 'what is this' >"$QCLOUD_HOME/state/random/lab.kept"
mv "$QCLOUD_HOME/state/random/lab" lab.alarms
mv "$QCLOUD_HOME/state/random/lab.kept" "$QCLOUD_HOME/state/random/lab"
expect_exit 4 status
out_has 'act   the source of randomness lab is shut off'
out_has 'the record of alarms is damaged'
mv lab.alarms "$QCLOUD_HOME/state/random/lab"
expect_exit 3 rng enable nobody
expect_exit 0 rng enable lab
expect_exit 0 rng list --json
json_ok
[ "$(json_get 'lines[2]["shut_off"]')" = False ] || fail "it is still shut off"
q status
out_has 'random: policy required (objects), required (xor23); lab'
out_lacks 'shut off'
expect_exit 0 put a.bin again

# Pre-loaded files: used from the front, erased behind; a warning before the end; then exit 13.
mkdir numbers
head -c 24576 /dev/urandom >numbers/1
chmod 600 numbers/1
configure required file "$T/numbers"
expect_exit 0 put a.bin from-file
err_has W0418
expect_exit 0 explain from-file
out_has 'random   lab:file policy=required health=ok H=7.000'
cmp -s -n 4096 numbers/1 /dev/zero || fail "used numbers are still in the file"
for _ in 1 2 3 4 5 6; do
    q put a.bin more || break
done
expect_exit 13 put a.bin never
err_has 'all of its bytes are used'

# The tools, and a wrong configuration.
expect_exit 0 rng read os --bytes 100
[ "$(stat -c %s out)" = 100 ] || fail "rng read gave another number of bytes"
configure required command '/bin/cat /dev/urandom'
expect_exit 0 rng read lab --bytes 5000
[ "$(stat -c %s out)" = 5000 ] || fail "rng read gave another number of bytes"
expect_exit 0 rng bench lab --bytes 20000
out_has 'bytes a second'
expect_exit 0 rng bench os --json
json_ok
expect_exit 3 rng read nobody
random_file sample 200000
expect_exit 0 rng test --sample sample
out_has 'no alarm'
out_has 'estimate compression'
head -c 100000 /dev/zero >flat
expect_exit 13 rng test --sample flat
err_has 'repetition count'
expect_exit 2 rng test --sample sample lab
expect_exit 0 rng test lab --battery rngtest
out_has 'FIPS 140-2 successes'
[ ! -s err ] || fail "a battery's end is told as a failure"
configure required command '/bin/cat /dev/zero'
expect_exit 13 rng test lab --battery rngtest
err_has 'the source lab is not in health'
configure required command '/bin/cat /dev/urandom'
expect_exit 0 rng test --sample sample --battery rngtest
expect_exit 13 rng test --sample flat --battery rngtest
err_has 'fail its tests'
# dieharder: one test of it, on the bytes of a source. As they come, they show what a mixed stream hides.
cat >biased <<'END'
#!/bin/sh
exec /usr/bin/tr '\000-\017' '\360-\377' </dev/urandom
END
chmod 755 biased
configure required command "$T/biased"
expect_exit 0 rng test lab # each value is as rare as six bits declare
expect_exit 13 rng test lab --battery rngtest --raw
expect_exit 0 rng test lab --battery rngtest
if [ "${QC_SANITIZED-}" != 1 ]; then # 40 MB each
    expect_exit 13 rng test lab --battery dieharder:100 --raw
    out_has 'sts_monobit'
    out_has 'FAILED'
    err_has 'dieharder: these bytes fail its tests'
    expect_exit 0 rng test os --battery dieharder:100
    out_has 'sts_monobit'
    out_lacks 'FAILED'
fi
expect_exit 0 rng read lab --raw --bytes 100000
mv out raw
expect_exit 0 rng test --sample raw
out_has 'no alarm'
expect_exit 13 rng test --sample raw --battery rngtest
expect_exit 2 rng test --sample sample --battery dieharder # which would say nothing, and no failure either
err_has 'the bytes ended'
expect_exit 2 rng test lab --battery dieharder:99999
expect_exit 2 rng test lab --battery rngtest:1
expect_exit 2 rng test lab --battery dieharder:1x
expect_exit 2 rng test lab --raw
expect_exit 2 rng test --sample sample --battery rngtest --raw
expect_exit 2 rng test lab --battery crystal
expect_exit 2 rng test --battery rngtest
expect_exit 3 rng test nobody --battery rngtest
echo 'colour = red' >>"$conf"
expect_exit 2 put a.bin never
err_has 'random.conf: line 8'
echo "random: policies, sources and tools do what the documents say"
