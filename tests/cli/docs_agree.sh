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
while read -r link; do
    [ -e "$QC_SOURCE/$link" ] || fail "README.md names $link, which is not there"
done < <(grep -oE '\]\([^)#]+' "$QC_SOURCE/README.md" | cut -c3- | grep -v '^http')
echo "docs_agree: pages and program say the same"
