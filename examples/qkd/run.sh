#!/bin/bash
# The core paper's arrangement on one machine: a user, a gateway and five clouds, every way between them a link keyed by
# QKD, keys from a QKD network (qcloud-kme). A file is stored, two clouds and a key share are lost, the file comes back.
#
#   examples/qkd/run.sh [qkd-tls|otp] [--keep]      --keep: the folder stays: configurations, logs, what lies where
#
# The clouds are gateways of Ceph on 127.0.0.1 (tests/clouds). Whatever is started ends with this script, however it ends.
set -euo pipefail
cd "$(dirname "$0")/../.."
level=qkd-tls keep=no
for word in "$@"; do
    case $word in
    qkd-tls | otp) level=$word ;;
    --keep) keep=yes ;;
    *)
        echo "usage: examples/qkd/run.sh [qkd-tls|otp] [--keep]" >&2
        exit 2
        ;;
    esac
done
sites=(cloud-1 cloud-2 cloud-3 cloud-4 cloud-5)

# ---- how it looks ----------------------------------------------------------------------------------------
. examples/look.sh
die() {
    echo "examples/qkd: $*" >&2
    exit 1
}
show() { # LINES COMMAND..: the command and its last lines, paths shortened
    local lines=$1
    shift
    printf '%s$ %s%s\n' "$dim" "${*//$work\//}" "$plain"
    "$@" 2>&1 | sed "s|$work/||g" | tail -n "$lines"
}

# ---- what is needed --------------------------------------------------------------------------------------
step "packages"
tools/setup --clouds
step "build"
mkdir -p build
if ! { cmake --preset release && cmake --build --preset release --target qc_client qc_gateway_daemon qc_qkd_kme qc_qkd_link \
    vcfgen -- -j "$(nproc)"; } >build/quickstart.log 2>&1; then
    cat build/quickstart.log
    die "the build failed"
fi
PATH=$PWD/build/release/bin:$PATH
clouds=$PWD/tests/clouds/clouds
work=$(mktemp -d "${TMPDIR:-/tmp}/qcloud-qkd-XXXXXX")
export QCLOUD_HOME=$work/home
began=$SECONDS
pids=()

finish() {
    local code=$? pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    [ ! -f "$work/s3/conf" ] || "$clouds" destroy "$work/s3"
    if [ $keep = yes ]; then echo "kept: $work"; else rm -rf "$work"; fi
    exit $code
}
trap finish EXIT

ready() { # NAME COMMAND..: start it, wait until it says that it is ready; its log is log/NAME
    local name=$1 word
    shift
    mkfifo "$work/ready.$name"
    "$@" --ready-fd 7 7>"$work/ready.$name" 2>"$work/log/$name" 8>&- &
    pids+=($!)
    read -r word <"$work/ready.$name" || true
    [ "$word" = ready ] || { cat "$work/log/$name" && die "$name did not start"; }
    rm "$work/ready.$name"
}
next_port=${QC_PORT:-23100}
port() { # a port of 127.0.0.1 that nobody has, into $port
    while ss -Hltn "sport = :$next_port" | grep -q .; do next_port=$((next_port + 1)); done
    port=$next_port
    next_port=$((next_port + 1))
}
mkdir "$work/log" "$work/pki" "$work/conf"

# ---- a QKD network ---------------------------------------------------------------------------------------
step "a QKD network: a user, a server and five clouds around it, 45 km and 49.5 kbit/s each; a key manager at every site"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority \
    -keyout "$work/pki/ca.key" -out "$work/pki/ca.pem" 2>/dev/null
certify() { # NAME: a certificate of that name, for this machine
    openssl req -x509 -CA "$work/pki/ca.pem" -CAkey "$work/pki/ca.key" -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -days 2 -subj "/CN=$1" -addext subjectAltName=IP:127.0.0.1 -keyout "$work/pki/$1.key" -out "$work/pki/$1.pem" 2>/dev/null
    chmod 600 "$work/pki/$1.key"
}
declare -A kme
kmes='' saes=''
for site in user server "${sites[@]}"; do
    port
    kme[$site]=$port
    certify "kme-$site"
    certify "sae-$site"
    kmes+="${kmes:+,}{\"id\":\"kme-$site\",\"node\":\"$site\",\"listen\":\"127.0.0.1:$port\",\"cert\":\"$work/pki/kme-$site.pem\",\"key\":\"$work/pki/kme-$site.key\",\"client_ca\":\"$work/pki/ca.pem\"}"
    saes+="${saes:+,}{\"id\":\"sae-$site\",\"node\":\"$site\"}"
done
echo "{\"kmes\":[$kmes],\"saes\":[$saes]}" >"$work/conf/kme.json"
ready kme qcloud-kme serve --topology metropolitan --config "$work/conf/kme.json" --state "$work/kme"
if [ "$level" = otp ]; then
    echo "one-time pad takes a bit of key for each bit of data: the links are told to make 1 Gbit/s, as no device does yet"
    for link in user-server "${sites[@]/#/server-}"; do qcloud-kme link rate "$link" 1000000000 --state "$work/kme"; done
fi
show 9 qcloud-kme status --state "$work/kme"

# ---- clouds and links ------------------------------------------------------------------------------------
step "five S3 servers, each with its own port, region, bucket and keys"
# Their watcher reads the other end of this pipe: when this script is gone, they go.
mkfifo "$work/owner"
exec 8<>"$work/owner"
"$clouds" start "$work/s3" --count 5 --owner-fd 9 9<"$work/owner" 8>&- 2>/dev/null
"$clouds" status "$work/s3"

end_of() { # LINK ME PEER LISTEN TO: the configuration of one end
    cat <<END
{ "link": "$1", "me": "sae-$2", "peer": "sae-$3", "level": "$level", "listen": "127.0.0.1:$4", "to": "127.0.0.1:$5", "state": "$work/state/$1-$2",
  "kme": {"url": "https://127.0.0.1:${kme[$2]}", "ca": "$work/pki/ca.pem", "cert": "$work/pki/sae-$2.pem", "key": "$work/pki/sae-$2.key"} }
END
}
link_up() { # NEAR FAR SERVICE: a link, before a service's port at FAR; the port for its users into $local_port
    local between
    port
    between=$port
    port
    local_port=$port
    mkdir -p "$work/state"
    end_of "$2" "$2" "$1" "$between" "$3" >"$work/conf/$2-serve.json"
    end_of "$2" "$1" "$2" "$local_port" "$between" >"$work/conf/$2-dial.json"
    ready "$2-serve" qcloud-link serve --config "$work/conf/$2-serve.json"
    ready "$2-dial" qcloud-link dial --config "$work/conf/$2-dial.json"
    for _ in $(seq 600); do
        ! grep -q 'the link is up' "$work/log/$2-dial" || break
        sleep 0.1
    done
    echo "$1 - $2: $(grep -o 'the link is up.*' "$work/log/$2-dial" | tail -n 1)"
    grep -q 'the link is up' "$work/log/$2-dial" || die "the link to $2 does not come up: $(cat "$work/log/$2-dial")"
}

step "a link of level $level from the server to each cloud"
where=()
for i in 1 2 3 4 5; do
    eval "$("$clouds" env "$work/s3" $i)"
    link_up server "cloud-$i" "$S3_PORT"
    where+=(--cloud "cloud-$i=s3+http://127.0.0.1:$local_port/$S3_BUCKET?region=$S3_REGION" --cloud-credentials "cloud-$i=$S3_CREDENTIALS")
done

step "a gateway that reaches its clouds through the links alone; the user reaches it through a sixth"
port
gateway=$port
cat >"$work/conf/gateway.conf" <<END
[gateway]
state = $work/gateway
log-file = $work/log/gateway
[listen]
address = 127.0.0.1:$gateway
END
printf '%s$ qcloud-gateway init --config conf/gateway.conf --k 3 \%s\n' "$dim" "$plain"
for ((i = 0; i < ${#where[@]}; i += 4)); do
    printf '%s    %s %s %s %s%s\n' "$dim" "${where[@]:i:4}" "$plain" | sed "s|$work/||g"
done
qcloud-gateway init --config "$work/conf/gateway.conf" --k 3 "${where[@]}"
show 1 qcloud-gateway tenant add ann --token-file "$work/ann.token" --config "$work/conf/gateway.conf"
ready gateway-start qcloud-gateway serve --config "$work/conf/gateway.conf"
link_up user server "$gateway"

# ---- store, lose, fetch ----------------------------------------------------------------------------------
step "store: the file is sealed and its key shared here; sealed pieces go over six links"
printf '%s$ qcloud init --gateway http://127.0.0.1:%s --token-file ann.token --share1 disk/share1 --share2 usb-stick/share2%s\n' "$dim" \
    "$local_port" "$plain"
qcloud init --gateway "http://127.0.0.1:$local_port" --token-file "$work/ann.token" --share1 "$work/disk/share1" \
    --share2 "$work/usb-stick/share2" --no-passphrase 2>&1 | sed "s|$work/||g" | head -2
vcfgen 100000 >"$work/variants.vcf"
show 2 qcloud put "$work/variants.vcf"
show 12 qcloud stat variants.vcf

step "which key it took, and how long each link's lasts at this pace"
show 9 qcloud-kme status --state "$work/kme"

step "two clouds and a key share are lost"
"$clouds" kill "$work/s3" 2
echo "cloud-2: the server is dead (kill -9)"
"$clouds" wipe "$work/s3" 5
echo "cloud-5: the bucket is empty"
rm -rf "$work/disk/share1"
echo "share store 1 is gone"

step "the file"
show 3 qcloud get variants.vcf "$work/back.vcf"
cmp "$work/variants.vcf" "$work/back.vcf" || die "something differs"
good "it is back, byte for byte: $(stat -c %s "$work/back.vcf") bytes, over links keyed by QKD"
show 2 qcloud recover --share 1

step "what such keys carry"
show 9 qcloud plan keys --rate 49.5k --rekey-seconds 0.01 --encryptor 12G --bytes 80G

step "all of it in $((SECONDS - began)) s"
