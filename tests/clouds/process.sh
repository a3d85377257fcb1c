# shellcheck shell=bash
# Processes that we started, by name: DIR/pid/NAME holds pid and start time, so that a pid that was given away again is
# never taken for ours. Read by tests/clouds/clouds.

process_field() { # of /proc/PID/stat, counted after the command's name, which may hold anything
    local s
    s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    s=${s##*) }
    set -- "$2" "$s"
    echo "$2" | cut -d ' ' -f "$1"
}
start_time() { process_field "$1" 20; }
process_state() { process_field "$1" 1 || echo X; }
# Its first thread is a zombie while others still end: what they have open, a port they listen at among it, is open meanwhile.
has_threads() { [ "$(find "/proc/$1/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" -gt 1 ]; }
pid_of() { # the pid of NAME while it lives
    local p t
    read -r p t 2>/dev/null <"$dir/pid/$1" || return 1
    [ "$(start_time "$p")" = "$t" ] || return 1
    case $(process_state "$p") in
    Z) has_threads "$p" || return 1 ;;
    X) return 1 ;;
    esac
    echo "$p"
}
spawn() { # NAME command...
    local name=$1 p
    shift
    ! pid_of "$name" >/dev/null || return 0
    setsid "$@" </dev/null >>"$dir/log/$name.out" 2>&1 8>&- 9>&- &
    p=$!
    disown
    echo "$p $(start_time "$p")" >"$dir/pid/$name"
}
signal() { # SIGNAL NAME; false when it does not live
    local p
    p=$(pid_of "$2") && kill "-$1" "$p" 2>/dev/null
}
reap() { # NAME SECONDS: wait until it is gone, then insist
    local i
    for ((i = 0; i < $2 * 50; i++)); do
        pid_of "$1" >/dev/null || break
        sleep 0.02
    done
    if signal KILL "$1"; then
        say "$1 does not end when asked to"
        sleep 0.2
    fi
    if read -r i _ 2>/dev/null <"$dir/pid/$1"; then # what libfaketime leaves of a process that was killed
        rm -f "/dev/shm/faketime_shm_$i" "/dev/shm/sem.faketime_sem_$i"
    fi
    rm -f "$dir/pid/$1"
}
wait_port() { # NAME PORT: until NAME listens
    local i
    for ((i = 0; i < 3000; i++)); do
        ! (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null || return 0
        pid_of "$1" >/dev/null || break
        sleep 0.02
    done
    die "$1 does not listen: $(tail -n 3 "$dir/log/$1.out")"
}
