#!/bin/bash
# cli/drill: a loss is rehearsed. All comes back while all is whole; what would be lost is found, by name, with the cloud or
# the share that lacks it; clouds that are left out are not asked; nothing is changed.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
mk_vault 3 5
random_file a 21000000
random_file small 700
expect_exit 0 put a dir/a
expect_exit 0 put small dir/small

# Everything that lies on the clouds, and what the gateway keeps of it.
state()
{
    (cd "$T" && find cloud? -type f -printf '%p %s %T@\n' | sort | sha256sum)
}

expect_exit 0 status
out_has 'drill:  none yet'
before=$(state)
for share in 1 2 none; do
    expect_exit 0 drill --without-share $share
    err_has '2 of 2 objects came back, 20.0 MiB, every byte verified'
    err_lacks W04
done
expect_exit 0 drill --without-cloud c1 --without-cloud c3 --without-share 2 dir/
err_has 'as if c1, c3 and share 2 were lost'
[ "$(state)" = "$before" ] || fail 'a drill changed what lies on the clouds'
expect_exit 0 status
out_has '2 of 2 objects came back without c1, c3 and share 2'

# A seed draws the same objects, clouds and share.
for i in 1 2 3 4 5 6; do
    random_file "s$i" $((i * 100))
    expect_exit 0 put "s$i"
done
expect_exit 0 -v drill --sample 3 --seed 7
grep '^back' out | sort >first
[ "$(wc -l <first)" = 3 ] || fail "a sample of 3: $(cat out)"
err_has '(seed 7)'
plan=$(grep 'as if' err)
expect_exit 0 -v drill --sample 3 --seed 7
grep '^back' out | sort | cmp - first || fail 'the seed drew others'
[ "$(grep 'as if' err)" = "$plan" ] || fail 'the seed drew other losses'
for seed in 1 2 3 4 5 6; do # others draw others
    expect_exit 0 -v drill --sample 3 --seed $seed
    { grep '^back' out | sort; grep 'as if' err; } | md5sum
done | sort -u >draws
[ "$(wc -l <draws)" -gt 3 ] || fail 'all seeds draw the same'

# verify of some of it: names, a part by lot that can be drawn again, what is new; and beside a folder, where what is not the
# same is named and is no fault of the vault's.
mkdir -p tree/b tree/a.d
for i in a a-b b/c b/d z; do
    random_file "tree/$i" 3000
done
random_file tree/big 9000000
: >tree/none
expect_exit 0 put -r tree t
expect_exit 0 verify --against tree t/
err_has 'against tree: 9 the same, 0 differ, 0 are missing there, 0 are there and not in the vault'
expect_exit 0 verify t/a t/b dir/small
[ "$(grep -c '^ok ' out)" = 5 ] || fail "three names: $(cat out)"
expect_exit 3 verify t/a nothing t/z
err_has "E0301 cannot vouch for 'nothing'"
[ "$(grep -c '^ok ' out)" = 2 ] || fail "one of three names is none: $(cat out)"
expect_exit 0 verify --sample 40 --seed 5 t/
sort out >first
[ "$(grep -c '^ok ' out)" = 4 ] || fail "40 % of 9: $(cat out)"
err_has 'verified 4 of 9 objects (40 %, by lot, seed 5)'
expect_exit 0 verify --sample 40 --seed 5 t/
sort out | cmp - first || fail 'the seed drew others'
for seed in 1 2 3 4; do
    expect_exit 0 verify --sample 40 --seed $seed t/
    sort out | md5sum
done | sort -u >draws
[ "$(wc -l <draws)" -gt 2 ] || fail 'all seeds draw the same'
expect_exit 0 --json verify --since 2099-01-01
[ "$(json_get "[(s['objects'], s['of']) for s in [lines[-1]['summary']]]")" = '[(0, 17)]' ] || fail "--since: $(cat out)"
expect_exit 0 --json verify --since "$(date -u +%Y-%m-%dT%H:%M:%SZ -d '1 hour ago')" dir t
[ "$(json_get "lines[-1]['summary']['objects']")" = 11 ] || fail "--since, before: $(cat out)"
rm -r tree/a tree/a.d
printf x | dd of=tree/big bs=1 seek=8000000 conv=notrunc status=none
echo more >>tree/z
echo new >tree/a-c # between others, in the order of names
mkdir tree/b.d
: >tree/b.d/e
ln -s z tree/link
for i in 1 2; do # the second time by the folder's name without its slash
    expect_exit 4 verify --against tree --report report.json "t$([ $i = 1 ] && echo /)"
    err_three_parts E0426
    for text in 'missing   t/a:' 'missing   t/a.d:' 'differs   t/big: the first byte that differs is that at 8000000' \
        'differs   t/z: the file goes on' 'extra     a-c:' 'extra     b.d/e:' 'ok        t/b/c' 'ok        t/none'; do
        out_has "$text"
    done
    [ "$(grep -c '^extra' out)" = 2 ] || fail "files that are there alone: $(cat out)"
    err_has '9 good, 0 degraded, 0 bad'
    /usr/bin/python3 - report.json <<'P' || fail "report: $(cat report.json)"
import json, sys
r = json.load(open(sys.argv[1]))
assert (r["exit"], r["objects"], r["good"], r["findings_cut"]) == (4, 9, 9, False)
assert {k: v for k, v in r["against"].items() if k != "dir"} == {"same": 5, "differs": 2, "missing": 2, "extra": 2, "unread": 0}
assert sorted((x["name"], x["against"]) for x in r["findings"]) == [("a-c", "extra"), ("b.d/e", "extra"), ("t/a", "missing"),
    ("t/a.d", "missing"), ("t/big", "differs"), ("t/z", "differs")]
P
done
expect_exit 4 verify --against tree t/b/c t/z # as get of these names would put them there
out_has 'missing   t/b/c: there is no file c'
expect_exit 0 verify --against tree/b t/b/
expect_exit 0 verify --against tree/b t/b  # a folder that is stored itself lies there as DIR
expect_exit 0 verify --against tree/b t/b/c # one file is meant, not what lies beside it
out_lacks extra
# A report has its place before anything is read; what is there and is no file stays.
ln -s report.json link
mkfifo pipe
for place in / .. tree link pipe "$(printf '%300d' 0)"; do
    expect_exit 2 verify --report "$place" t/b
    err_has "--report: '"
    out_lacks ok
done
if [ ! -L link ] || [ ! -p pipe ]; then
    fail "a report took the place of what is no file"
fi
expect_exit 3 verify --report none/report.json t/b
err_has 'next: make the folder'
expect_exit 2 drill --report /
expect_exit 3 verify --against tree/z t/
expect_exit 2 verify --seed 5
expect_exit 2 verify --sample 0
expect_exit 2 verify --since yesterday
expect_exit 0 rm -r --yes t

# An object that one cloud has lost is read as before, until two more are left out.
find cloud1/f -type f | sort >there
random_file x 5000
expect_exit 0 put x
find cloud1/f -type f | sort | comm -13 there - | xargs rm
expect_exit 0 drill --without-cloud c1 --without-cloud c2
expect_exit 6 drill --without-cloud c2 --without-cloud c3 --report report.json
out_has 'LOST  x: 2 of 5 clouds gave their fragment, 3 are needed: c1 missing, 2 withheld'
out_lacks 'LOST  dir/'
err_has 'E0607'
err_has '1 of 9 objects would have been lost'
expect_exit 4 status
out_has '8 of 9 objects came back without c2, c3 and share'
/usr/bin/python3 - report.json <<'P' || fail "report: $(cat report.json)"
import json, sys
r = json.load(open(sys.argv[1]))
assert [x["name"] for x in r["lost"]] == ["x"] and r["lost"][0]["exit"] == 6 and "c1" in r["lost"][0]["why"]
assert r["tried"] == 9 and r["back"] == 8 and r["without"] == ["c2", "c3"] and r["exit"] == 6 and not r["lost_cut"]
P
expect_exit 0 gateway repair --deep
expect_exit 0 drill --without-cloud c2 --without-cloud c3
expect_exit 0 status

# What is left out is not asked: rot there is not noticed.
find cloud4/f cloud5/f -type f -exec truncate -s 40 {} +
expect_exit 0 drill --without-cloud c4 --without-cloud c5
err_lacks W04
expect_exit 6 drill --without-cloud c1
err_has '9 of 9 objects would have been lost'
expect_exit 0 get x back # the rot may be mended by now: the drill without c1 came across it
same x back

# Shares: the one that is left is the one that is missing.
mv "$T/share1" "$T/share1.away"
expect_exit 7 drill --without-share 2 --without-cloud none
expect_exit 0 drill --without-share 1 --without-cloud none
mv "$T/share1.away" "$T/share1"

expect_exit 3 drill --without-cloud nowhere
expect_exit 3 drill none/
expect_exit 2 drill --without-share 3
expect_exit 2 drill --without-cloud none --without-cloud c1
expect_exit 2 drill --sample 0

# While stored objects get another code, each is tried without as many clouds as its own bears: (3,5) two, (2,5) three.
if [ "$QC_FAULTS" != 1 ]; then
    exit 0
fi
expect_exit 0 gateway repair --deep
stop_gateway
QC_FAULT=recode_put:error+:1 expect_exit 0 gateway status # it stays, and no segment gets another code in it
q gateway repair --reprotect 2,5 && fail 'all has another code'
expect_exit 0 put small dir/new
expect_exit 0 --json drill
[ "$(json_get "[(s['tried'], s['back'], s['fewer'], s['whole'], len(s['without'])) for s in [lines[-1]['summary']]]")" = '[(10, 10, 9, False, 3)]' ] ||
    fail "in the middle: $(cat out)"
expect_exit 0 drill --without-share none
err_has '9 objects have another code still'
err_has '10 of 10 objects came back'
q status
out_has 'of 10 objects came back without c'
out_has ', 9 of them with fewer of these missing'
expect_exit 6 drill --without-cloud random --without-cloud random --without-cloud random --without-share none # as it was said
err_has '9 of 10 objects would have been lost'
stop_gateway
expect_exit 0 gateway repair --reprotect 2,5
expect_exit 0 --json drill
[ "$(json_get "[(s['tried'], s['back'], s['fewer'], s['whole'], len(s['without'])) for s in [lines[-1]['summary']]]")" = '[(10, 10, 0, True, 3)]' ] ||
    fail "after it: $(cat out)"
