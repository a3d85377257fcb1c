# shellcheck shell=bash
# How the examples' scripts look, sourced by them: colours on a terminal alone, and not where NO_COLOR is set.
bold='' dim='' green='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
    # shellcheck disable=SC2034 # dim: of those who source this
    bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' plain=$'\e[0m'
fi
step() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
good() { printf '%s%s%s\n' "$green" "$*" "$plain"; }
