#!/bin/bash
# cli/odd_names: trees with names that break careless programs; empty files; pipes.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
mk_vault 2 3

mkdir -p tree/deep/er 'tree/two words' tree/empty
: >tree/nothing
random_file tree/deep/er/chunks 3145729
random_file tree/new$'\n'line 10
random_file tree/not$'\xff'utf8 11
random_file tree/-dash 12
random_file "tree/it's \"quoted\"" 13
random_file "tree/two words/;rm -rf \$HOME" 14
random_file tree/.hidden 15
random_file tree/Größe 16
ln -s nothing tree/link
mkfifo tree/pipe

expect_exit 0 put -r tree
err_lacks "stored 'tree/deep' v" # a folder is nobody's news, but with -v
err_has 'a symbolic link'
err_has 'a device, socket or pipe'
err_lacks $'\xff'
expect_exit 0 get -r tree back
rm tree/link tree/pipe
diff -r tree back || fail "the tree that came back differs"

# The same below a prefix, and a second time over itself.
expect_exit 0 -v put -r tree copies/of/tree
err_has "stored 'copies/of/tree/deep' v1"
expect_exit 0 get -r copies/of/tree back2
diff -r tree back2 || fail "the second tree differs"
expect_exit 5 get -r copies/of/tree back2
expect_exit 0 get --force -r copies/of/tree back2
expect_exit 0 put -r tree /
expect_exit 0 get -- -dash dashed
same tree/-dash dashed
(cd tree && "$QC_BIN/qcloud" put -r . dot 2>/dev/null) || fail "put -r ."
expect_exit 0 get dot/.hidden hidden
same tree/.hidden hidden

# Listings and messages with odd names: one line per name, nothing that moves a cursor; -0 gives the bytes.
expect_exit 0 ls tree
[ "$(wc -l <out)" = "$(find tree -type f -printf x | wc -c)" ] || fail "a name took two lines"
out_has 'tree/new\x0aline'
out_has 'tree/not\xffutf8'
expect_exit 0 ls -0 tree
tr '\0' '\n' <out | grep -qa $'not\xffutf8' || fail "-0 does not give the bytes"
expect_exit 0 ls --json tree
json_ok
[ "$(json_get "[l['name_b64'] for l in lines if 'name_b64' in l]")" = "['dHJlZS9ub3T_dXRmOA']" ] || fail "name_b64"

# 0 bytes, stdin, a pipe whose size nobody knows.
: >empty
expect_exit 0 put empty
expect_exit 0 get empty empty2
is_empty empty2
printf '' | q put - empty-pipe || fail "an empty pipe"
expect_exit 0 get empty-pipe empty3
is_empty empty3
random_file big 20971520
for n in 1 1048575 1048576 1048577 16777216 20971520; do
    head -c $n big >part
    q put - piped <part || fail "a pipe of $n bytes"
    expect_exit 0 get -f piped piped.back
    same part piped.back
    (cat part; sleep 0.1) | "$QC_BIN/qcloud" put - piped2 2>/dev/null || fail "a slow pipe of $n bytes"
    "$QC_BIN/qcloud" get piped2 - 2>/dev/null | cmp - part || fail "a pipe of $n bytes came back otherwise"
done
expect_exit 2 put part bad//name
expect_exit 2 put part ../up
expect_exit 2 put part "$(head -c 4097 /dev/zero | tr '\0' a)"
expect_exit 0 put part "$(head -c 4096 /dev/zero | tr '\0' a)"

# A directory and a file of one name can both be stored; on a disk only one of them fits.
expect_exit 0 put part clash
expect_exit 0 put part clash/below
expect_exit 0 ls clash
[ "$(wc -l <out)" = 2 ] || fail "clash"
expect_exit 0 verify
echo "odd_names: all came back"
