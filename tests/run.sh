#!/bin/bash
# Everything from a fresh machine: packages, then all checks. Usage: tests/run.sh [--full]
set -eu
cd "$(dirname "$0")/.."
tools/setup --dev
exec tools/check "$@"
