# shellcheck shell=bash
# OpenStack Swift: one account, container and object server under N proxies with the s3api filter. A second, independent
# answer to the same requests. Read by tests/clouds/clouds, which sets dir, base, count.

swift_need() {
    need memcached:memcached swift-ring-builder:swift swift-proxy-server:swift-proxy swift-account-server:swift-account \
        swift-container-server:swift-container swift-object-server:swift-object python3:python3
    [ "$tls" = no ] || die "--tls is for --kind ceph"
}
swift_access() { echo "cloud$1:user"; }
swift_ini() { # role port
    cat <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $2
workers = 0
user = $(id -un)
swift_dir = $dir/swift
devices = $dir/srv
mount_check = false
log_level = WARNING
log_address = $dir/none
CONF
}
swift_server_conf() { # role port
    swift_ini "$@"
    printf '[pipeline:main]\npipeline = %s-server\n[app:%s-server]\nuse = egg:swift#%s\n' "$1" "$1" "$1"
}
swift_proxy_conf() { # N
    local secret=secret_$1 filter
    swift_ini proxy "$(port "$1")"
    cat <<CONF
[pipeline:main]
pipeline = catch_errors gatekeeper cache listing_formats bulk s3api tempauth slo dlo symlink versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$((base + 45))
[filter:s3api]
use = egg:swift#s3api
location = region-$1
[filter:tempauth]
use = egg:swift#tempauth
user_cloud$1_user = ${!secret} .admin
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
CONF
    for filter in catch_errors gatekeeper listing_formats bulk slo dlo symlink; do
        printf '[filter:%s]\nuse = egg:swift#%s\n' "$filter" "$filter"
    done
}
swift_make() {
    local n role at=41
    mkdir -p "$dir/swift" "$dir/srv/d1"
    (cd "$dir/tmp" && : >x && /usr/bin/python3 -Bc 'import os; os.setxattr("x", "user.t", b"1")') 2>/dev/null ||
        die "the file system of $dir has no user attributes, which Swift needs"
    printf '[swift-hash]\nswift_hash_path_suffix = %s\n[storage-policy:0]\nname = one\ndefault = yes\n' \
        "$(random a-z0-9 16)" >"$dir/swift/swift.conf"
    for role in account container object; do
        at=$((at + 1))
        swift_server_conf $role "$(port $at)" >"$dir/swift/$role.conf"
        (
            cd "$dir/swift"
            swift-ring-builder $role.builder create 4 1 1 &&
                swift-ring-builder $role.builder add "r1z1-127.0.0.1:$(port $at)/d1" 1 &&
                swift-ring-builder $role.builder rebalance
        ) >"$dir/log/ring.$role" 2>&1 9>&- &
    done
    for n in $(seq 1 "$count"); do swift_proxy_conf "$n" >"$dir/swift/c$n.conf"; done
    wait
    for role in account container object; do
        [ -f "$dir/swift/$role.ring.gz" ] || die "no ring: $(tail -n 3 "$dir/log/ring.$role")"
    done
    touch "$dir/made"
}
swift_server() { # NAME role
    spawn "$1" /usr/bin/python3 -Bc '
import os, sys
from swift.common import utils
utils.set_swift_dir(os.path.dirname(sys.argv[1]))  # not /etc/swift
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(sys.argv[1], sys.argv[2] + "-server", verbose=False))' "$dir/swift/$1.conf" "$2"
}
swift_gateway() { swift_server "c$1" proxy; }
swift_start() {
    local n role
    [ -f "$dir/made" ] || swift_make
    spawn memcached memcached -l 127.0.0.1 -p $((base + 45)) -U 0 -m 16 -u "$(id -un)"
    for role in account container object; do swift_server $role $role; done
    for n in $(seq 1 "$count"); do swift_gateway "$n"; done
    wait_port account "$(port 42)"
    wait_port container "$(port 43)"
    wait_port object "$(port 44)"
    for n in $(seq 1 "$count"); do wait_port "c$n" "$(port "$n")"; done
    # shellcheck disable=SC2046
    make_buckets $(seq 1 "$count")
}
swift_stop() {
    local name
    for name in account container object memcached; do signal TERM $name || true; done
    for name in account container object memcached; do reap $name 10; done
}

# ---- faults ----------------------------------------------------------------------------------------------

swift_file() { # N KEY: the file that holds the object
    /usr/bin/python3 -Bc '
import glob, sys
from swift.common import utils
top, n, key = sys.argv[1:]
utils.set_swift_dir(top + "/swift")
utils.validate_hash_conf()
found = sorted(glob.glob(top + "/srv/d1/objects/*/*/" + utils.hash_path("AUTH_cloud" + n, "cloud-" + n, key) + "/*.data"))
if not found:
    sys.exit("clouds: cloud " + n + " has no " + key)
print(found[-1])' "$dir" "$1" "$2"
}
swift_fault_corrupt() { # N KEY [OFFSET]
    local file at byte
    file=$(swift_file "$1" "$2")
    at=${3:-$(($(stat -c %s "$file") / 2))}
    byte=$(od -An -tu1 -j "$at" -N 1 "$file")
    # shellcheck disable=SC2059
    printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$file" bs=1 seek="$at" conv=notrunc status=none
}
swift_fault_delete() { # N KEY
    local file
    file=$(swift_file "$1" "$2")
    rm "$file"
}
swift_fault_truncate() { # N KEY BYTES
    local file
    file=$(swift_file "$1" "$2")
    truncate -s "$3" "$file"
}
swift_list() { die "list: not with swift"; }
