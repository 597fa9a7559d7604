# Chains of steps, side by side; sourced. A chain is a function. It runs in a process group of its own, so that nothing it
# starts outlives it; what it says goes to a log, shown whole when it ends. Its steps are also told at once, by `--`.
declare -A running=() # process group -> chain

say() { # TEXT
    printf '\n== %s\n' "$1"
    if [ -n "${chain-}" ]; then printf -- '-- %s: %s\n' "$chain" "$1" >&3; fi
}
step() { # NAME: what begins, and how long what was before took
    step_ends
    this=$1 began=$SECONDS
    say "$this (after $SECONDS s)"
}
step_ends() {
    if [ -n "${this-}" ]; then say "$this: took $((SECONDS - began)) s"; fi
    this=
}

side_by_side() { # FOLDER CHAIN...: their logs are FOLDER/CHAIN.log; the first that fails ends all
    local logs=$1 chain group status
    for chain in "${@:2}"; do
        set -m # gives a background job its process group
        (
            set +m
            "$chain"
            step_ends
        ) 3>&1 >"$logs/$chain.log" 2>&1 </dev/null &
        set +m
        running[$!]=$chain
    done
    while [ ${#running[@]} -gt 0 ]; do
        status=0
        wait -n -p group "${!running[@]}" || status=$?
        chain=${running[$group]}
        end_chain "$group"
        if [ "$status" -gt 0 ]; then fail_with "$chain" "$status" "$logs"; fi
        show "$chain" "$logs"
    done
}
show() { # CHAIN FOLDER
    printf '\n== all that %s said\n' "$1"
    cat "$2/$1.log"
}
fail_with() { # CHAIN STATUS FOLDER: the log of the one that failed comes last
    local others=("${running[@]}") other
    end_chains
    for other in "${others[@]}" "$1"; do show "$other" "$3"; done
    printf '\n== %s failed (exit %s)\n' "$1" "$2"
    exit "$2"
}
end_chains() {
    local group
    for group in "${!running[@]}"; do end_chain "$group"; done
}
end_chain() { # GROUP: what still runs of it, asked first; ten seconds later, not asked
    unset "running[$1]"
    kill -TERM -- "-$1" 2>/dev/null || return 0
    for _ in {1..50}; do
        kill -0 -- "-$1" 2>/dev/null || return 0
        sleep 0.2
    done
    kill -KILL -- "-$1" 2>/dev/null || true
}
