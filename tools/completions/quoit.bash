# SPDX-License-Identifier: MIT
# bash completion for quoit: commands, their options, and the names of existing objects.
_quoit_names() {
    local IFS=$'\n' word=${COMP_WORDS[COMP_CWORD]} name before
    # A colon separates words here: the text before the last colon of this word was typed before.
    before=$word
    if [[ $COMP_WORDBREAKS == *:* ]]; then
        local line=${COMP_LINE:0:COMP_POINT}
        before=${line##*[[:space:]]}
    fi
    for name in $(quoit ls --names 2>/dev/null); do
        local choice
        for choice in "${name#posix:}" "$name"; do
            [[ $choice == "$before"* ]] || continue
            [[ $before == *:* && $COMP_WORDBREAKS == *:* ]] && choice=${choice#"${before%:*}:"}
            COMPREPLY+=("$(printf '%q' "$choice")")
            break # "posix:" may be left out
        done
    done
}

_quoit() {
    local command=${COMP_WORDS[1]} word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD - 1]}
    local options="" words=""
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "ls stat top push pop tail rm check bench record replay --help --version" -- "$word")
        return
    fi
    case $command in
    ls) options="--json --names --help" ;;
    stat) options="--all --format --json --help" ;;
    top) options="--interval --count --sort --plain --json --help" ;;
    push) options="--count --raw --each --blocks --keep --timeout --kind --capacity --item-bytes --permissions --any-owner --help" ;;
    pop) options="--count --raw --no-wait --timeout --follow --keep --from-oldest --any-owner --help" ;;
    tail) options="--follow --lines --hex --raw --any-owner --help" ;;
    rm) options="--force --dead --dry-run --any-owner --help" ;;
    check) options="--all --repair --through --any-owner --json --help" ;;
    bench) options="--seconds --json --help" ;;
    record) options="--observe --sync --flush --encoding --keep --from-oldest --any-owner --info --help" ;;
    replay) options="--speed --rename --wait --finish --any-owner --help" ;;
    *) return ;;
    esac
    case $command$last in
    stat--format | stat-F) words="text json prometheus" ;;
    top--sort | top-s) words="name rate fill" ;;
    push--kind) words="spsc mpmc broadcast" ;;
    replay--speed | replay-s) words="1 2 max" ;;
    *--interval | *--count | *--timeout | *--capacity | *--item-bytes | *--permissions | *--lines | *--seconds | *--flush | *--encoding | *--rename)
        return ;;
    esac
    if [[ $words ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    elif [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    elif [[ $command == ls ]]; then
        mapfile -t COMPREPLY < <(compgen -W "posix sysv file file:" -- "$word")
    elif [[ $command == replay || " ${COMP_WORDS[*]} " == *" record "*" --info "* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    elif [[ $command != bench ]]; then
        _quoit_names
    fi
}

complete -F _quoit quoit
