#!/bin/bash
# Everything from a fresh machine: packages, then all checks. Usage: tests/run.sh [--full]
set -eu
cd "$(dirname "$0")/.."
case " $* " in
*' --full '*) tools/setup --full ;;
*) tools/setup --dev ;;
esac
exec tools/check "$@"
