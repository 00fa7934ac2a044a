# SPDX-License-Identifier: MIT
# bash completion for quoit-bridge: its commands, its options as --help lists them, and files.
_quoit_bridge() {
    local word=${COMP_WORDS[COMP_CWORD]} options
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "out in run --help --version" -- "$word")
    elif [[ $word == -* ]]; then
        options=$(quoit-bridge --help 2>/dev/null | grep -oE '^ +--[a-z-]+')
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -F _quoit_bridge quoit-bridge
