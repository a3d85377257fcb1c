# shellcheck shell=bash
# One small Ceph cluster (a monitor, an OSD that keeps its data in memory, no manager) under N RADOS gateways, each with its
# own zone, zonegroup (its region), pool and user. Read by tests/clouds/clouds, which sets dir, base, count, tls.

ceph_need() {
    need ceph-mon:ceph-mon ceph-osd:ceph-osd radosgw:radosgw monmaptool:ceph-common ceph:ceph-common \
        radosgw-admin:ceph-common rados:ceph-common python3:python3
    [ "$tls" = no ] || need openssl:openssl
}
ceph_access() { random A-Z0-9 20; }
ceph_admin() { # N argument...
    local n=$1
    shift
    radosgw-admin -c "$dir/ceph.conf" -n "client.c$n" "$@" 9>&-
}
ceph_rados() { # N argument...: on the stored data of cloud N
    local n=$1
    shift
    rados -c "$dir/ceph.conf" -p "c$n" -N data "$@" 9>&-
}

# ---- settings --------------------------------------------------------------------------------------------

# Why each of the odd ones: without cephx keys messenger v2 has no "secure" mode, so everybody must say crc; no admin
# sockets, for their path limit of 108 bytes; a monitor waits paxos propose interval before each change; a zone makes 129 log
# objects at its first start unless every shard count is 1; deleted data would stay for two hours; whoever changes an
# account or a bucket would wait half a minute for a gateway that was killed and still counts as a watcher.
ceph_conf() {
    local n p
    cat <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = v2:127.0.0.1:$((base + 41))
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms mon cluster mode = crc
ms mon service mode = crc
ms client mode = crc
ms cluster mode = crc
ms service mode = crc
ms crc data = false
ms bind msgr1 = false
ms bind ipv6 = false
ms bind port min = $((base + 42))
ms bind port max = $((base + 50))
public addr = 127.0.0.1
cluster addr = 127.0.0.1
admin socket =
keyring = $dir/none
run dir = $dir
crash dir = $dir/log
log file = $dir/log/\$name.log
log to stderr = false
mon cluster log file = $dir/log/cluster.log
log max recent = 10
osd pool default size = 1
osd pool default min size = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
CONF
    for p in ms mon paxos monc osd objecter memstore filer; do echo "debug $p = 0/0"; done
    cat <<CONF
debug rgw = 1/1
[mon]
mon data = $dir/mon
mon data avail crit = 1
mon data avail warn = 1
mon allow pool delete = true
paxos propose interval = 0.05
paxos min wait = 0.01
[osd]
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 17179869184
osd fast shutdown = false
osd class update on start = false
osd scrub min interval = 100000000
osd scrub max interval = 100000000
osd deep scrub interval = 100000000
osd default notify timeout = 1
osd op num shards = 2
osd op num threads per shard = 1
[client]
rgw thread pool size = 32
rgw num control oids = 1
rgw num rados handles = 1
rgw data log num shards = 1
rgw md log max shards = 1
rgw lc max objs = 1
rgw gc max objs = 1
rgw reshard num logs = 1
rgw objexp hints num shards = 1
rgw usage max shards = 1
rgw override bucket index max shards = 1
rgw dynamic resharding = false
client notify timeout = 1
rgw max notify retries = 0
rgw run sync thread = false
rgw gc obj min wait = 1
rgw gc processor period = 2
rgw gc processor max time = 2
rgw bucket quota ttl = 0
rgw dns name = localhost
CONF
    for n in $(seq 1 "$count"); do
        printf '[client.c%d]\n' "$n"
        for p in zone zonegroup realm period; do echo "rgw $p root pool = c$n:root"; done
        printf 'rgw frontends = beast endpoint=127.0.0.1:%d tcp_nodelay=1' "$(port "$n")"
        [ "$tls" = no ] || printf ' ssl_endpoint=127.0.0.1:%d ssl_certificate=%s ssl_private_key=%s' \
            "$(tls_port "$n")" "$dir/tls/server.pem" "$dir/tls/server.key"
        echo
    done
}
# Each pool of a zone is a namespace of pool cN: one pool per cloud.
ceph_zone() {
    local s
    printf '{"id":"default","name":"default","realm_id":"","system_key":{"access_key":"","secret_key":""}'
    for s in domain_root:meta control_pool:control gc_pool:gc lc_pool:lc log_pool:log intent_log_pool:intent \
        usage_log_pool:usage roles_pool:roles reshard_pool:reshard user_keys_pool:keys user_email_pool:email \
        user_swift_pool:swift user_uid_pool:uid otp_pool:otp notif_pool:notif; do
        printf ',"%s":"c%d:%s"' "${s%%:*}" "$1" "${s##*:}"
    done
    printf ',"placement_pools":[{"key":"default-placement","val":{"index_pool":"c%d:index",' "$1"
    printf '"storage_classes":{"STANDARD":{"data_pool":"c%d:data"}},"data_extra_pool":"c%d:extra","index_type":0}}]}\n' "$1" "$1"
}
ceph_zonegroup() {
    printf '{"id":"default","name":"default","api_name":"region-%d","is_master":"true","endpoints":[],' "$1"
    printf '"hostnames":[],"hostnames_s3website":[],"master_zone":"default","zones":[{"id":"default","name":"default",'
    printf '"endpoints":[],"log_meta":"false","log_data":"false","bucket_index_max_shards":1,"read_only":"false",'
    printf '"tier_type":"","sync_from_all":"true","sync_from":[],"redirect_zone":""}],"placement_targets":['
    printf '{"name":"default-placement","tags":[],"storage_classes":["STANDARD"]}],'
    printf '"default_placement":"default-placement","realm_id":""}\n'
}
ceph_certificates() {
    local t=$dir/tls new=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
    mkdir -p "$t"
    printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n' >"$t/ext"
    {
        openssl req -x509 "${new[@]}" -days 3650 -subj '/CN=test clouds' -keyout "$t/ca.key" -out "$t/ca.pem" &&
            openssl req "${new[@]}" -subj '/CN=localhost' -keyout "$t/server.key" -out "$t/server.csr" &&
            openssl x509 -req -in "$t/server.csr" -CA "$t/ca.pem" -CAkey "$t/ca.key" -CAcreateserial -days 3650 \
                -extfile "$t/ext" -out "$t/server.pem"
    } 2>"$dir/log/tls.out" || die "no certificates: $(tail -n 3 "$dir/log/tls.out")"
}

# ---- start and stop --------------------------------------------------------------------------------------

ceph_gateway() { # N [option...]
    local n=$1
    shift
    spawn "c$n" radosgw -c "$dir/ceph.conf" -n "client.c$n" -f "$@"
}
ceph_zone_start() { # N: the zone, its gateway, its user
    local n=$1 access=access_$1 secret=secret_$1
    ceph_zone "$n" >"$dir/tmp/zone.$n"
    ceph_zonegroup "$n" >"$dir/tmp/zonegroup.$n"
    ceph_admin "$n" zone set --rgw-zone=default --infile "$dir/tmp/zone.$n" &&
        ceph_admin "$n" zonegroup set --rgw-zonegroup=default --infile "$dir/tmp/zonegroup.$n" || return 1
    ceph_gateway "$n"
    ceph_admin "$n" user create --uid=u --display-name=u --access-key="${!access}" --secret-key="${!secret}"
}
ceph_make() { # a cluster that was never started
    local n monmap=$dir/tmp/monmap fsid
    mkdir -p "$dir/mon" "$dir/osd"
    [ "$tls" = no ] || ceph_certificates
    ceph_conf >"$dir/ceph.conf"
    fsid=$(sed -n 's/^fsid = //p' "$dir/ceph.conf")
    {
        monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$((base + 41))]" "$monmap" &&
            ceph-mon -c "$dir/ceph.conf" --mkfs -i a --monmap "$monmap"
    } >"$dir/log/setup.out" 2>&1 9>&- || die "no monitor: $(tail -n 3 "$dir/log/setup.out")"
    spawn mon.a ceph-mon -c "$dir/ceph.conf" -i a -f
    # fsid names the OSD as well: any unique number does.
    ceph-osd -c "$dir/ceph.conf" -i 0 --mkfs --osd-uuid "$fsid" >"$dir/log/setup.out" 2>&1 9>&- ||
        die "no OSD: $(tail -n 3 "$dir/log/setup.out")"
    {
        echo "osd new $fsid 0"
        for n in $(seq 1 "$count"); do echo "osd pool create c$n 8"; done
        echo quit
    } | ceph -c "$dir/ceph.conf" --connect-timeout 120 >"$dir/log/setup.out" 2>&1 9>&- ||
        die "the monitor does not answer: $(tail -n 3 "$dir/log/setup.out")"
    spawn osd.0 ceph-osd -c "$dir/ceph.conf" -i 0 -f
    for n in $(seq 1 "$count"); do
        ceph_zone_start "$n" >"$dir/log/setup.$n" 2>&1 &
    done
    wait
    for n in $(seq 1 "$count"); do
        pid_of "c$n" >/dev/null || die "cloud $n was not set up: $(tail -n 3 "$dir/log/setup.$n")"
    done
    # shellcheck disable=SC2046
    make_buckets $(seq 1 "$count")
    touch "$dir/made"
}
ceph_start() {
    local n
    if [ ! -f "$dir/made" ]; then
        ceph_make
        return
    fi
    spawn mon.a ceph-mon -c "$dir/ceph.conf" -i a -f
    spawn osd.0 ceph-osd -c "$dir/ceph.conf" -i 0 -f
    for n in $(seq 1 "$count"); do ceph_gateway "$n"; done
    for n in $(seq 1 "$count"); do wait_port "c$n" "$(port "$n")"; done
}
ceph_stop() { # the OSD writes its memory to disk when it is asked to end
    signal TERM osd.0 || true
    reap osd.0 120
    signal TERM mon.a || true
    reap mon.a 10
}

# ---- faults ----------------------------------------------------------------------------------------------

ceph_fault_busy() { fault_restart "$1" --rgw-max-concurrent-requests="$2"; }
ceph_fault_clock() { # N SECONDS: forwards, or backwards with a minus; Debian's faketime under the gateway
    local lib
    lib=$(ls /usr/lib/*/faketime/libfaketimeMT.so.1 2>/dev/null) || die "packages are missing: libfaketime"
    fault_kill "$1"
    spawn "c$1" env LD_PRELOAD="$lib" FAKETIME="$(printf '%+d' "$2")" FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 \
        radosgw -c "$dir/ceph.conf" -n "client.c$1" -f
    wait_port "c$1" "$(port "$1")"
}
# The RADOS objects of a key, its head first, then the pieces of what is larger than 4 MiB.
ceph_names() { # N KEY
    local marker
    case $2 in _*) die "keys that begin with _ are stored elsewhere" ;; esac
    marker=$(ceph_admin "$1" bucket stats --bucket="cloud-$1" 2>/dev/null | sed -n 's/^ *"marker": "\(.*\)",*$/\1/p')
    [ -n "$marker" ] || die "cloud $1 has no bucket"
    ceph_rados "$1" stat "${marker}_$2" >/dev/null 2>&1 || die "cloud $1 has no $2"
    echo "${marker}_$2"
    local prefix
    prefix=$(ceph_admin "$1" object stat --bucket="cloud-$1" --object="$2" 2>/dev/null | sed -n 's/^ *"prefix": "\(.*\)",*$/\1/p')
    [ -z "$prefix" ] || ceph_rados "$1" ls | grep -F -e "${marker}__shadow_$prefix" | sort || true
}
ceph_fault_corrupt() { # N KEY [OFFSET within the first 4 MiB]
    local names head size at byte file=$dir/tmp/object
    names=$(ceph_names "$1" "$2")
    head=$(head -n 1 <<<"$names")
    ceph_rados "$1" get "$head" "$file"
    size=$(stat -c %s "$file")
    at=${3:-$((size / 2))}
    [ "$at" -lt "$size" ] || die "the first piece of $2 has $size bytes"
    byte=$(od -An -tu1 -j "$at" -N 1 "$file")
    # shellcheck disable=SC2059
    printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$file" bs=1 seek="$at" conv=notrunc status=none
    ceph_rados "$1" put "$head" "$file"
    rm -f "$file"
}
ceph_fault_delete() { # N KEY [tail]
    local names name
    names=$(ceph_names "$1" "$2")
    case ${3-} in
    '') ;;
    tail) names=$(tail -n +2 <<<"$names") ;;
    *) usage ;;
    esac
    [ -n "$names" ] || die "$2 has no tail"
    while read -r name; do ceph_rados "$1" rm "$name" </dev/null; done <<<"$names"
}
ceph_fault_truncate() { # N KEY BYTES
    local names
    names=$(ceph_names "$1" "$2")
    ceph_rados "$1" truncate "$(head -n 1 <<<"$names")" "$3"
}
ceph_list() { # N
    ceph_admin "$1" bucket list --bucket="cloud-$1" --max-entries=1000000000 --allow-unordered 2>/dev/null |
        /usr/bin/python3 -Bc 'import json, sys
for e in json.load(sys.stdin):
    if e.get("exists", True) and not e["name"].startswith("_"):
        print(e["meta"]["accounted_size"], e["name"])'
}
ceph_fault_drop() { ceph_admin "$1" bucket rm --bucket="cloud-$1" --purge-objects >"$dir/log/drop.$1" 2>&1; }
ceph_fault_wipe() {
    [ "$(state "$1")" = up ] || die "cloud $1 is not up"
    ceph_fault_drop "$1" || say "cloud $1 had no bucket"
    # A gateway that reads of the bucket while it goes may remember it, and then makes none; a new one remembers nothing.
    make_buckets "$1" || { fault_restart "$1" && make_buckets "$1"; }
}
ceph_fault_quota() {
    local what=(--quota-scope=bucket --bucket="cloud-$1")
    if [ "$2" = 0 ]; then
        ceph_admin "$1" quota disable "${what[@]}"
    else
        ceph_admin "$1" quota set "${what[@]}" --max-size="$2"
        ceph_admin "$1" quota enable "${what[@]}"
    fi
}
ceph_fault_suspend() { ceph_admin "$1" user suspend --uid=u >/dev/null; }
ceph_fault_enable() { ceph_admin "$1" user enable --uid=u >/dev/null; }
