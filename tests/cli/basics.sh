#!/bin/bash
# cli/basics: put, get, ls, stat, rm, verify, status as a user types them: output, exit codes, what goes where.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
mk_vault 3 5
err_has 'any 3 of 5 clouds are enough'
err_has 'Your clouds and your gateway together cannot read anything'
err_has 'W0404'
err_has 'W0405'
[ ! -s "$T/out" ] || fail "init wrote data to stdout"
[ "$(stat -c %a "$QCLOUD_HOME/state/gateway")" = 700 ] || fail "the gateway's state is open to others"
[ "$(stat -c %a "$QCLOUD_HOME/qcloud.conf")" = 600 ] || fail "the configuration is open to others"

# A file under its own name, under another, below a prefix; nothing on stdout.
random_file a.bin 1500000
random_file b.bin 70000
expect_exit 0 put a.bin
err_has "stored 'a.bin' v1"
err_has 'loss budget 1 (data 2 of 2, keys 1)'
[ ! -s "$T/out" ] || fail "put wrote to stdout"
expect_exit 0 put b.bin other/name
expect_exit 0 put a.bin b.bin dir/
expect_exit 0 put a.bin dir/sub/

# Listings: names alone, sorted, one per line.
expect_exit 0 ls
printf '%s\n' a.bin dir/a.bin dir/b.bin dir/sub/a.bin other/name >want
same want out
expect_exit 0 ls dir
printf '%s\n' dir/a.bin dir/b.bin dir/sub/a.bin >want
same want out
expect_exit 0 ls -0 other
printf 'other/name\0' >want
same want out
expect_exit 0 ls -l a.bin
out_has '1.4 MiB'
out_has 'budget 1  a.bin'
# All levels, as -R says aloud; some of them: what lies deeper is its folder, once, with what it comes to.
expect_exit 0 ls -R dir/
printf '%s\n' dir/a.bin dir/b.bin dir/sub/a.bin >want
same want out
expect_exit 0 ls --depth 1
printf '%s\n' a.bin dir/ other/ >want
same want out
for prefix in dir dir/ 'dir*' 'd*'; do
    expect_exit 0 ls --depth 1 "$prefix"
    case $prefix in
    *'*') echo dir/ >want ;;
    *) printf '%s\n' dir/a.bin dir/b.bin dir/sub/ >want ;;
    esac
    same want out
done
expect_exit 0 ls -0 --depth 2
printf 'a.bin\0dir/a.bin\0dir/b.bin\0dir/sub/\0other/name\0' >want
same want out
expect_exit 0 ls -l --depth 1
grep -qE '^ +2\.9 MiB .*  -      budget 1  dir/$' "$T/out" || fail "the sum of a folder: $(cat "$T/out")"
expect_exit 0 ls --depth 1 --where rng=os
printf '%s\n' a.bin dir/ other/ >want
same want out
# The largest first, or the newest; by names what is alike.
expect_exit 0 ls --sort size
printf '%s\n' a.bin dir/a.bin dir/sub/a.bin dir/b.bin other/name >want
same want out
touch -d 2001-02-03 old.bin
expect_exit 0 put old.bin
expect_exit 0 ls --sort time
[ "$(tail -n 1 "$T/out") $(wc -l <"$T/out")" = 'old.bin 6' ] || fail "the oldest last: $(cat "$T/out")"
expect_exit 0 rm old.bin
expect_exit 0 stat a.bin other/name
out_has 'coding   3 of 5'
out_has '(1500000 bytes)'
out_has 'cloud    c5  '

# Back: to a name, to the own name, to a directory, to stdout. Files that exist are left alone.
expect_exit 0 get a.bin x.bin
same a.bin x.bin
mkdir into
expect_exit 0 get dir/b.bin into
same b.bin into/b.bin
expect_exit 0 get a.bin other/name into2/
same a.bin into2/a.bin
same b.bin into2/name
expect_exit 0 get other/name -
same b.bin out
(cd into && "$QC_BIN/qcloud" get dir/sub/a.bin 2>/dev/null) || fail "get NAME alone"
same a.bin into/a.bin
echo mine >taken
expect_exit 5 get a.bin taken
err_three_parts E0511
[ "$(cat taken)" = mine ] || fail "get replaced a file without --force"
expect_exit 0 get --force a.bin taken
same a.bin taken
[ -z "$(find . -name '*.part')" ] || fail "a partial file was left"

# A second version; the old name now gives the new bytes.
expect_exit 0 put b.bin a.bin
err_has "stored 'a.bin' v2"
expect_exit 0 get -f a.bin x.bin
same b.bin x.bin
expect_exit 5 put --if-absent b.bin a.bin
expect_exit 0 put --if-absent b.bin fresh

# Standard input of a size that was said: a pipe that ends early, or goes on, stores nothing.
expect_exit 0 put --stdin-size 5k - sized < <(head -c 5120 b.bin)
expect_exit 0 put --stdin-size 0 - sized/none </dev/null
for n in 5119 5121; do
    expect_exit 1 put --stdin-size 5k - "sized/$n" < <(head -c "$n" b.bin)
    err_three_parts E0102
    err_has '--stdin-size said 5120'
    expect_exit 3 stat "sized/$n"
done
err_has 'no object'
expect_exit 2 put --stdin-size 5k b.bin sized
err_has 'put - NAME'
expect_exit 0 --json put --stdin-size 5k - sized < <(head -c 5120 a.bin)
expect_exit 0 rm sized sized/none

# rm, and what is no longer there.
expect_exit 0 rm a.bin fresh
expect_exit 3 get a.bin y.bin
err_three_parts E0301
[ ! -e y.bin ] || fail "a file came out of nothing"
expect_exit 3 stat nothing
expect_exit 3 rm nothing
expect_exit 3 rm other/name nothing
err_has "1 of 2 not removed"
expect_exit 0 put b.bin other/name
# All below a prefix, by the word of who was asked: nothing else, and into the trash.
expect_exit 0 put b.bin dirty
expect_exit 0 put a.bin b.bin dir/more/
expect_exit 2 rm -r dir/more
err_has 'nobody can be asked whether this is wanted: --yes, or --dry-run to look'
expect_exit 0 rm -r -n dir/more 'dirt*'
printf 'would go  %s\n' dir/more/a.bin dir/more/b.bin dirty >want
same want out
expect_exit 0 rm -r -n dir/more/b.bin dir/more dir/more/ dirty 'dirt*' # each name once
printf 'would go  %s\n' dir/more/b.bin dir/more/a.bin dirty >want
same want out
expect_exit 0 rm -n dirty
printf 'would go  dirty\n' >want
same want out
expect_exit 3 rm -r --yes dir/more dir/more none
err_has '1 of 3 not removed'
err_has "'none': no object of that name and none below it"
expect_exit 0 ls 'd*'
printf '%s\n' dir/a.bin dir/b.bin dir/sub/a.bin dirty >want
same want out
expect_exit 0 trash restore -r dir/more
expect_exit 3 trash restore -r dir/more
err_has 'nothing of that name or below it is in the trash'
err_has 'qcloud trash ls'
expect_exit 0 get dir/more/b.bin back.bin
same b.bin back.bin
expect_exit 0 ls dir/more
printf '%s\n' dir/more/a.bin dir/more/b.bin >want
same want out
expect_exit 0 rm -r --yes dir/more/ dirty
# Who wants a folder as one object is told how it is got.
expect_exit 3 get dir d
err_has "'dir': no object has this name, but 3 lie below it"
err_has 'qcloud get -r PREFIX DIR'
expect_exit 2 get dir/ d
err_has "'dir/' is no name of an object"
[ ! -e d ] || fail "something was made of a folder that is no object"
# A reader that has what it wants is no failure to tell of; a full disk is.
exec 8> >(:)
wait $!
for command in ls 'cat dir/a.bin' 'get dir/a.bin -' help; do
    # shellcheck disable=SC2086 # words
    "$QC_BIN/qcloud" $command >&8 2>"$T/err"
    [ "$?:$(cat "$T/err")" = 1: ] || fail "$command, and nobody reads"
done
exec 8>&-
"$QC_BIN/qcloud" ls >/dev/full 2>"$T/err"
[ $? = 1 ] || fail "a full disk was no failure"
err_has 'the output could not be written to the end'
expect_exit 3 verify nothing
expect_exit 3 get -r nothing d
[ ! -e d ] || fail "a directory was made for nothing"

expect_exit 0 verify
out_has 'ok        other/name'
err_has '4 objects'
expect_exit 0 verify dir/sub
expect_exit 0 status
out_has 'clouds: 5 of 5 answer; any 3 of 5 are enough'
out_has 'budget: 1 (data 2, keys 1)'
out_has 'share 1: ok'
out_has 'price:  Your clouds'
out_has 'root key: on the clouds'
expect_exit 0 gateway status
expect_exit 0 gateway kit
out_has 'qcloud-kit 1 root '
expect_exit 0 version
[ "$(wc -l <out)" = 1 ] || fail "version is one line"
echo "basics: all as the help says"
