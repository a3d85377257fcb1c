#!/bin/bash
# The whole of qcloud in one run: set up, build, store real data on five clouds, lose two clouds and a key share, get
# everything back, recover, and see what is refused. Works in a folder of its own, removed at the end (--keep: kept).
#
#   examples/quickstart.sh [--keep] [--installed]
#
# --installed: with the programs on PATH; nothing is built, and the big file is smaller.
# The clouds are directories here; a cloud is whatever a URL names. Packages are installed when they are missing.
set -euo pipefail
cd "$(dirname "$0")/.."
keep=no
installed=no
for option; do
    case $option in
    --keep) keep=yes ;;
    --installed) installed=yes ;;
    *)
        echo "usage: examples/quickstart.sh [--keep] [--installed]" >&2
        exit 2
        ;;
    esac
done

step()
{
    printf '\n== %s\n' "$*"
}

die()
{
    echo "quickstart: $*" >&2
    exit 1
}

# Runs a command and shows it.
show()
{
    printf '$ %s\n' "$*"
    "$@"
}

# refused CODE COMMAND..: the command must end with this exit status.
refused()
{
    local want=$1 got=0
    shift
    show "$@" || got=$?
    [ "$got" = "$want" ] || die "exit $got, expected $want"
    echo "(exit $want, as it should be)"
}

# Real data: alignments and variants that Debian ships as examples. Images without documentation leave some of it out
# of installed packages; then it is taken out of the package file.
mapfile -t data_packages < <(sed -n 's/^data //p' tools/packages)
real_data=(
    usr/share/doc/freebayes/examples/tiny/NA12878.chr22.tiny.bam
    usr/share/doc/freebayes/examples/tiny/NA12878.chr22.tiny.giab.vcf
    usr/share/doc/freebayes/examples/regression/NA12878.chr22.tiny.vcf
    usr/share/samtools/test/mpileup/ce.fa
    usr/share/samtools/test/mpileup/mpileup.1.bam
    usr/share/htslib-test/test/index.vcf
    usr/share/htslib-test/test/tabix/vcf_file.bcf
)

gather_data()
{
    local f p lacking=no
    mkdir -p "$work/data/real"
    for f in "${real_data[@]}"; do
        [ -f "/$f" ] || lacking=yes
    done
    if [ $lacking = yes ]; then
        mkdir "$work/packages"
        for p in "${data_packages[@]}"; do
            (cd "$work/packages" && apt-get download -q "$p" && dpkg-deb -x "$p"_*.deb .)
        done
    fi
    for f in "${real_data[@]}"; do
        if [ -f "/$f" ]; then
            cp "/$f" "$work/data/real/"
        else
            cp "$work/packages/$f" "$work/data/real/"
        fi
    done
    rm -rf "$work/packages"
}

# Ends the gateway that this run started: it leaves by itself after half a minute, but its folder is about to go.
stop_gateway()
{
    local dir pid
    for dir in /proc/[0-9]*; do
        pid=${dir#/proc/}
        if { tr '\0' '\n' <"$dir/cmdline"; } 2>/dev/null | grep -qxF -- "$QCLOUD_HOME/state/gateway"; then
            kill "$pid" 2>/dev/null || true
        fi
    done
}

finish()
{
    local code=$?
    stop_gateway
    if [ $keep = yes ]; then
        echo "kept: $work"
    else
        rm -rf "$work"
    fi
    exit $code
}

build()
{
    step "packages"
    tools/setup --data
    step "build"
    mkdir -p build
    if ! { cmake --preset release && cmake --build --preset release --target qc_client qc_gateway_daemon vcfgen \
        -- -j "$(nproc)"; } >build/quickstart.log 2>&1; then
        cat build/quickstart.log
        die "the build failed"
    fi
    PATH=$PWD/build/release/bin:$PATH
}

# The big file: variant records of three million places, or, without the program that makes them, of one sample many times.
big_file()
{
    if [ $installed = no ]; then
        vcfgen
        return
    fi
    for _ in $(seq 1 200); do
        cat data/real/NA12878.chr22.tiny.giab.vcf
    done
}

[ $installed = yes ] || build

work=$(mktemp -d "${TMPDIR:-/tmp}/qcloud-quickstart-XXXXXX")
export QCLOUD_HOME=$work/home
trap finish EXIT
began=$SECONDS
cd "$work"

step "data: real alignments and variants, and a big variant file"
gather_data
big_file >data/variants.vcf
ls -l data data/real

step "a vault: five clouds, any three are enough; the two share stores in two places"
clouds=()
for city in paris osaka quito perth accra; do
    clouds+=(--cloud "$city=file://$work/clouds/$city")
done
mkdir clouds
show qcloud init --local "${clouds[@]}" --k 3 --share1 "$work/disk/share1" --share2 "$work/usb-stick/share2" --no-passphrase

step "store"
show qcloud put -r data genomes
show qcloud ls -l

step "what each cloud holds now: pieces under names that say nothing"
for city in paris osaka quito perth accra; do
    printf '%-6s %5d objects %12d bytes\n' "$city" "$(find "clouds/$city" -type f | wc -l)" "$(du -sb "clouds/$city" | cut -f1)"
done
find clouds/paris -type f | sort | head -3
if grep -rqaF -e 'fileformat=VCF' -e NA12878 -e genomes clouds; then
    die "a cloud holds plain text"
fi
echo "(no cloud holds a name or a line of what was stored)"

step "a drill: as if any two clouds and a share store were lost"
show qcloud drill --sample 5

step "two clouds and one share store are lost"
show rm -rf clouds/osaka clouds/accra usb-stick/share2
show qcloud get -r genomes back
for f in $(cd data && find . -type f); do
    cmp "data/$f" "back/$f" || die "$f differs"
done
echo "(all files are back, byte for byte)"
got=0
show qcloud status || got=$?
[ $got = 4 ] || die "status: exit $got, expected 4"

step "the share store is rebuilt, without moving the data"
show qcloud recover --share 2 --to "$work/new-stick/share2"
rm -rf back
show qcloud get genomes/real/ce.fa ce.fa
cmp ce.fa data/real/ce.fa

step "three clouds lost: refused"
mv clouds/paris clouds/paris.away
refused 6 qcloud get genomes/real/ce.fa none
mv clouds/paris.away clouds/paris

step "both share stores lost: refused"
mv disk/share1 disk/share1.away
mv new-stick/share2 new-stick/share2.away
refused 7 qcloud get genomes/real/ce.fa none
mv disk/share1.away disk/share1
mv new-stick/share2.away new-stick/share2
[ ! -e none ] || die "something was written"

step "all of it in $((SECONDS - began)) s"
