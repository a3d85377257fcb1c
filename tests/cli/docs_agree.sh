#!/bin/bash
# cli/docs_agree: the pages of commands and messages are what the program prints; help of each command has what is to be in it, and
# its examples are calls that the program takes.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
: "${QC_SOURCE:?the source tree}"
expect_exit 0 help errors
diff -u "$QC_SOURCE/docs/errors/README.md" "$T/out" || fail "docs/errors/README.md: qcloud help errors > docs/errors/README.md"
expect_exit 0 help commands
diff -u "$QC_SOURCE/docs/commands.md" "$T/out" || fail "docs/commands.md: qcloud help commands > docs/commands.md"
# told PROGRAM PAGE OWN: each command of the page has its synopsis, exit codes and three examples (OWN: all of that very
# command); each example of the program names a command that there is, with options that its help lists.
told()
{
    # shellcheck disable=SC2016  # awk's, not the shell's
    awk -v program="$1" -v own="$3" '
    function say(text) { print name ": " text }
    # The options of one call, from word i on: values are passed over, the command is the longest name that the words make.
    function call(words, i, n, command, rest, used, w, o, j, letters) {
        command = ""; rest = ""; split("", used)
        for (; i <= n && words[i] != "--"; i++) {
            w = words[i]
            if (w ~ /^--/) {
                o = w; sub(/=.*/, "", o); used[o]
                if (o == w && o in valued) i++
            } else if (w ~ /^-./) {
                for (j = 2; j <= length(w); j++) used["-" substr(w, j, 1)]
                if (("-" substr(w, length(w), 1)) in valued) i++
            } else {
                rest = rest (rest == "" ? "" : " ") w
                if (rest in all) command = rest
            }
        }
        if (command == "") { if (!("--version" in used)) say("no command in: " line); return "" }
        for (o in used)
            if (!((command, o) in has)) say(command " has no " o ", which stands in: " line)
        return command
    }
    $1 == "##" { name = $0; sub(/^## [^ ]+ /, "", name); all[name]; within = 0; next }
    /^Usage: / { if (index($0, "Usage: " program " " name) == 1 && $0 !~ / $/) usage[name]; next }
    /^Examples:/ { within = 1; next }
    /^$/ { within = 0 }
    /^Exit codes: 0 ok, ./ { if (name != "") codes[name] = 1 }
    within && name != "" && /^  [^ ]/ { examples[++count] = substr($0, 3); of[count] = name }
    !within && match($0, /^ +(-., )?--[a-z0-9-]+/) {
        n = split(substr($0, RSTART, RLENGTH), shown, /[ ,]+/)
        value = substr($0, RLENGTH + 1) ~ /^ [^ ]/
        for (i = 1; i <= n; i++)
            if (shown[i] != "") { has[name, shown[i]]; if (value) valued[shown[i]] }
    }
    END {
        for (e = 1; e <= count; e++) {
            name = of[e]; line = examples[e]; right[name] += !own
            gsub(/[A-Z_]+=\047[^\047]*\047/, "", line) # of the environment
            gsub(/[()$\047"]/, " ", line)
            parts = split(line, part, /[|;&]+|[0-9]?[<>][^ ]*/)
            calls = 0
            for (p = 1; p <= parts; p++) {
                n = split(part[p], words, / +/)
                for (i = 1; i <= n && words[i] != program; i++);
                if (i > n) continue
                calls++
                line = part[p]
                if (call(words, i + 1, n) == name && own) right[name]++
            }
            if (calls == 0) say("an example without " program ": " examples[e])
        }
        for (name in all)
            if (!(name in usage) || !(name in codes) || right[name] < 3) say(right[name] + 0 " examples, or no synopsis or exit codes")
    }' "$2"
}
short=$(told qcloud "$T/out" 0)
[ -z "$short" ] || fail "qcloud: $short"
[ "$(grep -c '^## qcloud ' "$T/out")" -ge 70 ] || fail "help commands has too few commands"
"$QC_BIN/qcloud-gateway" --help | sed -n '/^Commands:/,/^$/p' | grep -oP '^  \K[a-z]+(?: [a-z]+)*(?=  | [^a-z]| \S*\||$)' |
    while read -r command; do
        echo "## qcloud-gateway $command"
        # shellcheck disable=SC2086  # the words of a command
        "$QC_BIN/qcloud-gateway" $command --help
    done >"$T/gateway"
short=$(told qcloud-gateway "$T/gateway" 1)
[ -z "$short" ] || fail "qcloud-gateway: $short"
[ "$(grep -c '^## qcloud-gateway ' "$T/gateway")" -ge 50 ] || fail "qcloud-gateway --help has too few commands"
# Each page that help names is there.
topics=$(grep -oE '^Usage: qcloud help \[OPTIONS\] \[COMMAND\|[a-z|]+' "$T/out" | cut -d'[' -f3 | tr '|' ' ')
for topic in ${topics#COMMAND}; do
    expect_exit 0 help "$topic"
    [ "$(head -c 2 "$T/out")" = '# ' ] || fail "help $topic: $(head -1 "$T/out")"
done
expect_exit 0 help clouds
tr -d '\n' <"$QC_SOURCE/docs/clouds.md" >"$T/page"
tr -d '\n' <"$T/out" | cmp - "$T/page" || fail "help clouds is not docs/clouds.md"
while read -r link; do
    [ -e "$QC_SOURCE/$link" ] || fail "README.md names $link, which is not there"
done < <(grep -oE '\]\([^)#]+' "$QC_SOURCE/README.md" | cut -c3- | grep -v '^http')
echo "docs_agree: pages and program say the same"
