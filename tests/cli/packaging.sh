#!/bin/bash
# cli/packaging: the Debian packages want what the build wants, and show the library's symbols. With QC_FULL=1 they are also built
# twice, to the same bytes, looked at by lintian, and installed, used, upgraded, removed and purged in a fresh Debian root.
set -eu -o pipefail
: "${QC_SOURCE:?}"
top=$QC_SOURCE
fail() { echo "FAILED: $*" >&2; exit 1; }

tmp=$(mktemp -d)
root=
finish()
{
    local code=$?
    [ -z "$root" ] || rm -rf --one-file-system "$root"
    rm -rf "$tmp"
    exit "$code"
}
trap finish EXIT

# ---- what a reader can tell
sed -n '/^Build-Depends:/,/^[^ ]/s/^ \([a-z0-9-]*\).*/\1/p' "$top/debian/control" | grep -vxF debhelper-compat | sort >"$tmp/control"
# Those of every Debian machine that builds packages are not named.
sed -n 's/^build //p' "$top/tools/packages" | grep -vxF -e gcc -e libc6-dev | sort >"$tmp/packages"
diff "$tmp/control" "$tmp/packages" || fail "debian/control and tools/packages want different things"
sed -n 's/^ \(qcloud_[a-z_]*\)@.*/\1/p' "$top/debian/libqcloud0.symbols" | sort >"$tmp/symbols"
sed -n 's/^    \(qcloud_[a-z_]*\);$/\1/p' "$top/lib/libqcloud.map" | sort >"$tmp/map"
diff "$tmp/symbols" "$tmp/map" || fail "debian/libqcloud0.symbols and lib/libqcloud.map differ"
version=$(sed -n 's/^project(qcloud VERSION \([0-9.]*\).*/\1/p' "$top/CMakeLists.txt")
grep -q "^qcloud ($version)" "$top/debian/changelog" || fail "debian/changelog does not begin with version $version"
systemd-analyze verify --man=no "$top"/dist/*.service "$top"/dist/*.timer >"$tmp/units" 2>&1 || true
if grep -v -e 'is not executable' -e 'Failed to create' "$tmp/units" | grep -F "$top/dist"; then
    fail "systemd-analyze verify"
fi
if [ "${QC_FULL-0}" != 1 ]; then
    echo "ok"
    exit 0
fi

# ---- build, twice: other paths, times, umasks and languages
build() # DIR [VERSION]
{
    mkdir -p "$1/qcloud"
    git -C "$top" ls-files -co --exclude-standard -z | (cd "$top" && tar cf - --null -T - --ignore-failed-read) | tar xf - -C "$1/qcloud"
    if [ -n "${2-}" ]; then
        sed -i "1s/(.*)/($2)/" "$1/qcloud/debian/changelog"
    fi
    (cd "$1/qcloud" && dpkg-buildpackage -us -uc -b -j2 >"$1/log" 2>&1) || { tail -30 "$1/log"; fail "the packages do not build"; }
    rm -rf "$1/qcloud"
}
(umask 022; LC_ALL=C build "$tmp/one")
(umask 077; LC_ALL=C.UTF-8 TZ=Pacific/Auckland build "$tmp/another")
packages=0
for deb in "$tmp"/one/*.deb; do
    cmp "$deb" "$tmp/another/${deb##*/}" || fail "${deb##*/} is not the same when it is built again"
    packages=$((packages + 1))
done
[ "$packages" -ge 7 ] || fail "$packages packages"
lintian --allow-root --fail-on error,warning "$tmp"/one/*.changes || fail "lintian"
build "$tmp/older" "$version~older"

# ---- a fresh Debian root
[ "$(id -u)" = 0 ] || fail "QC_FULL=1 needs root here: a fresh Debian root is made"
root=$(mktemp -d /var/tmp/qc-packages-XXXXXX)
options=()
for conf in /etc/apt/apt.conf.d/*artifact* /etc/apt/apt.conf.d/*proxy*; do
    [ ! -f "$conf" ] || options+=(--aptopt="$conf")
done
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
mmdebstrap --quiet --variant=apt "${options[@]}" "$suite" "$root" /etc/apt/sources.list.d/debian.sources >"$tmp/root.log" 2>&1 ||
    { tail -5 "$tmp/root.log"; fail "mmdebstrap"; }
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp -r "$tmp/one" "$tmp/older" "$root/root/"
mkdir "$root/root/qcloud"
cp -r "$top/examples" "$top/tools" "$root/root/qcloud/"
within() # unshared, so that what it mounts and starts ends with it
{
    # shellcheck disable=SC2016  # the inner shell's
    unshare --mount --pid --fork --kill-child bash -c '
        mount --make-rprivate / && mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount --rbind /sys "$0/sys" &&
        exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
            chroot "$0" bash -euc "$1"' "$root" "$1"
}
within 'apt-get update -q && apt-get install -qy --no-install-recommends /root/older/qcloud_*.deb /root/older/qcloud-*_*.deb /root/older/libqcloud*_*.deb' \
    >"$tmp/install" 2>&1 || { tail "$tmp/install"; fail "install"; }
within 'qcloud version; id qcloud-gateway; id qcloud-link; test ! -e /etc/qcloud/gateway.conf
    cd /root && mkdir c1 c2 c3 && echo precious >kept
    qcloud init --local --k 2 --cloud a=file:///root/c1 --cloud b=file:///root/c2 --cloud c=file:///root/c3 --share1 /root/s1 --share2 /root/s2 --no-passphrase
    qcloud put kept
    mkdir -p /etc/qcloud && cp /usr/share/doc/qcloud-gateway/examples/gateway.conf* /etc/qcloud/ && mkdir -p /var/lib/qcloud-gateway' \
    >"$tmp/before" 2>&1 || { cat "$tmp/before"; fail "the older version"; }
within 'apt-get install -qy --no-install-recommends /root/one/qcloud_*.deb /root/one/qcloud-*_*.deb /root/one/libqcloud*_*.deb' \
    >"$tmp/upgrade" 2>&1 || { tail "$tmp/upgrade"; fail "upgrade"; }
grep -q "Unpacking qcloud-gateway ($version) over ($version~older)" "$tmp/upgrade" || fail "no upgrade"
within 'cd /root && qcloud get kept - | grep -x precious && qcloud verify && qcloud-salvage --help >/dev/null && qcloud-kme --help >/dev/null
    test -f /etc/qcloud/gateway.conf* && man -w qcloud 2>/dev/null || test -f /usr/share/man/man1/qcloud.1.gz
    /root/qcloud/examples/quickstart.sh --installed' >"$tmp/use" 2>&1 || { tail -30 "$tmp/use"; fail "use of the new version"; }
grep -F 'all of it in' "$tmp/use"
within 'apt-get purge -qy qcloud qcloud-gateway qcloud-link qcloud-kme qcloud-doc libqcloud0 libqcloud-dev' >"$tmp/purge" 2>&1 || { tail "$tmp/purge"; fail "purge"; }
grep -q '/var/lib/qcloud-gateway is left' "$tmp/purge" || fail "the gateway's state is not spoken of"
for thing in var/lib/qcloud-gateway root/kept root/s1 etc/qcloud; do
    [ -e "$root/$thing" ] || fail "the purge took $thing, which is the user's"
done
left=$(find "$root"/usr "$root"/lib/ "$root"/etc "$root"/var/lib/dpkg/info -name '*qcloud*' ! -path "$root/etc/qcloud*")
[ -z "$left" ] || fail "left behind: $left"
echo "ok: $packages packages, the same twice; installed, used, upgraded, purged in a fresh root"
