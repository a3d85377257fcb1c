#!/bin/bash
# cli/man: the manual pages that the build made. Each command has its page with all of its options, each key of the configurations
# and each exit status stands where it is explained, and mandoc finds nothing to complain of.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
: "${QC_SOURCE:?the source tree}"
man=$QC_BIN/../man
[ -d "$man/man1" ] || fail "no manual pages in $man: build the target man"

# has PAGE TEXT: as it is shown to a reader, on one line
has() { grep -qF -- "$2" <<<"$shown" || fail "$1 lacks '$2'"; }
# shown PAGE: into $shown; what troff would complain of ends the scenario
show()
{
    mandoc -T lint -W warning "$1" >"$T/lint" 2>&1 || fail "$1: $(cat "$T/lint")"
    shown=$(mandoc -T utf8 -O width=240 "$1" | sed "s/.\x08//g")
}

pages=0
for page in "$man"/man[1578]/*; do
    show "$page"
    case $page in
    */qcloud-*.1 | */qcloud.1) case $page in */qcloud-salvage.1) ;; *) pages=$((pages + 1)) ;; esac ;;
    esac
done
# The commands, from the program as it is now: a page each, no page without one, and all options in it.
expect_exit 0 help commands
mv "$T/out" "$T/commands"
commands=0
while read -r command; do
    commands=$((commands + 1))
    page=$man/man1/qcloud-${command// /-}.1
    [ -f "$page" ] || fail "qcloud $command has no page"
    show "$page"
    # shellcheck disable=SC2086  # the words of a command
    expect_exit 0 $command --help
    while read -r option; do
        has "$page" "$option"
    done < <(grep -oE '^ +(-., )?--[a-z0-9-]+' "$T/out" | grep -oE -- '--[a-z0-9-]+')
    has "$page" "$(sed -n 's/^Usage: //p' "$T/out" | sed 's/ *$//')"
done < <(sed -n 's/^## qcloud //p' "$T/commands")
[ "$commands.$((pages - 1))" = "$(grep -c '^## qcloud ' "$T/commands").$commands" ] || fail "$pages pages for $commands commands and the program"

for program in qcloud-gateway qcloud-link qcloud-kme; do
    show "$man/man8/$program.8"
    "$QC_BIN/$program" --help >"$T/out"
    while read -r command; do
        has "$program.8" "$command"
        # shellcheck disable=SC2086
        while read -r option; do
            has "$program.8" "$option"
        done < <("$QC_BIN/$program" $command --help | grep -oE '^ +(-., )?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+')
    done < <(sed -n '/^Commands:/,/^$/p' "$T/out" | grep -oP '^  \K[a-z]+(?: [a-z]+)*(?=  | [^a-z]| \S*\||$)')
done

# Keys of the configurations, from the tables of the parsers, in their sections.
keys()
{
    local section key found=0 page=$1
    show "$man/man5/$page.5"
    shift
    while read -r section key _; do
        found=$((found + 1))
        sed -n "/^\[$section\]/,/^[^ ]/p" <<<"$shown" | grep -qE "^ +$key( |\$)" || fail "$page(5) lacks $key of [$section]"
    done < <(
        grep -ohE '(\{|X\([A-Z0-9_]+,) "[a-z]+", "[a-z0-9-]+", (true|false)' "${@/#/$QC_SOURCE/}" |
            sed -E 's/^(\{|X\([A-Z0-9_]+,) //; s/[",]//g'
        grep -ohE 'X\([A-Z_]+, [a-z_]+, "[a-z0-9-]+"' "${@/#/$QC_SOURCE/}" | sed -E 's/.* "(.*)"/qkd \1/' # of section [qkd]
    )
    [ "$found" = "$(grep -v '^| key | value' "$QC_SOURCE/docs/$page.md" | grep -cE '^\| [a-z0-9-]+ \|')" ] ||
        fail "$page(5) has other keys than the $found of $*"
}
keys qcloud.conf home/conf.c qkd/include/qkd/keyed.h
keys gateway.conf gateway/daemon/conf.c

show "$man/man7/qcloud-exit.7"
statuses=$(sed -n 's/^ *X([A-Z]*, \([0-9]*\), [0-9]*, [01],.*/\1/p' "$QC_SOURCE/base/include/base/err.h" | sort -un)
[ "$statuses" = "$(grep -oE '^\| [0-9]+ \|' "$QC_SOURCE/docs/exit.md" | tr -d '| ' | sort -n)" ] || fail "docs/exit.md has other codes than base/err.h"
has 'qcloud-exit(7)' 'too few share stores'
show "$man/man5/qcloud-format.5"
has 'qcloud-format(5)' '14.3 What a link says of itself'
echo "man: $commands commands have their page; nothing to complain of"
