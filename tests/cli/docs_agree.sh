#!/bin/bash
# cli/docs_agree: the pages of commands and messages are what the program prints; every code that the pages of tests
# name exists.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
: "${QC_SOURCE:?the source tree}"
expect_exit 0 help errors
diff -u "$QC_SOURCE/docs/errors/README.md" "$T/out" || fail "docs/errors/README.md: qcloud help errors > docs/errors/README.md"
expect_exit 0 help commands
diff -u "$QC_SOURCE/docs/commands.md" "$T/out" || fail "docs/commands.md: qcloud help commands > docs/commands.md"
# Each command: how it is called, three examples, exit codes.
short=$(awk '/^## qcloud /{ name = $0; all[name] } /^Usage: qcloud /{ usage[name] } /^Examples:/{ within = 1; next } /^$/{ within = 0 }
    /^Exit codes: 0 ok, ./{ if (examples[name] >= 3) codes[name] } within && /^  [^ ]/{ examples[name]++ }
    END { for (name in all) if (!(name in usage) || !(name in codes)) print name ": " examples[name] + 0 " examples" }' "$T/out")
[ -z "$short" ] || fail "help without synopsis, three examples or exit codes: $short"
[ "$(grep -c '^## qcloud ' "$T/out")" -ge 70 ] || fail "help commands has too few commands"
# Each page that help names is there.
topics=$(grep -oE '^Usage: qcloud help \[COMMAND\|[a-z|]+' "$T/out" | cut -d'[' -f2 | tr '|' ' ')
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
