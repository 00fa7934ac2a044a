# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# ./dev docs and ./dev pictures: the documentation site, its tests in a browser, and the pictures. Part of ./dev.

pictures_tools() {
    need dot=graphviz python3=python3 /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf=fonts-dejavu-core
}

# Draws docs/pictures/*.svg anew from *.dot, and docs/operations/top.svg from a real terminal.
pictures() {
    pictures_tools
    need tmux=tmux
    python3 docs/pictures/make_pictures.py
    build release -- --target quoit_tool producer consumer
    python3 docs/operations/screenshots.py build/release
    say "the pictures are in docs/pictures and docs/operations; commit those that have changed"
}

docs_tools() {
    build_tools python3=python3 mkdocs=mkdocs /usr/share/mkdocs/themes/material/mkdocs_theme.yml=mkdocs-material
}

docs_browser_tools() {
    docs_browser >/dev/null || need chromium=chromium
    need npm=npm
}

docs_browser() { command -v chromium || command -v google-chrome; }

# docs_modules: installs the packages of the browser tests, outside the project, and prints their folder.
docs_modules() {
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/quoit/browser packages=(playwright-core@1.65.1 axe-core@4.14.1)
    if [ "$(cat "$cache/installed" 2>/dev/null)" != "${packages[*]}" ]; then
        say "installing ${packages[*]} into $cache (npm)"
        if ! npm install --silent --prefix "$cache" "${packages[@]}" >build/log/browser.log 2>&1; then
            say "cannot install ${packages[*]} from npm; check the network (log: build/log/browser.log)"
            return 1
        fi
        echo "${packages[*]}" >"$cache/installed"
    fi
    echo "$cache/node_modules"
}

# docs [test]: builds the site in build/site. test: also looks at each page in a browser, and tries the alerts and the dashboard
# if Prometheus is installed; returns 77 if npm cannot be reached.
docs() {
    local monitoring monitoring_result=0 result=0
    case ${1:-} in
        '' | test) ;;
        *) give_up "unknown argument '$1' of docs; use './dev docs' or './dev docs test'" ;;
    esac
    docs_tools
    build release -- --target quoit_tool
    python3 docs/site/make_site.py build/release/tools/quoit build/site
    [ "${1:-}" = test ] || return 0
    # It mostly waits for Prometheus, so it runs beside the browser.
    python3 tests/site/monitoring_test.py build/release/tools/quoit >build/log/monitoring.log 2>&1 &
    monitoring=$!
    docs_in_browser || result=$?
    wait "$monitoring" || monitoring_result=$?
    cat build/log/monitoring.log
    [ "$monitoring_result" = 0 ] || [ "$monitoring_result" = 77 ] || return 1
    return "$result"
}

# Returns 77 if npm cannot be reached.
docs_in_browser() {
    local modules
    docs_browser_tools
    modules=$(docs_modules) || return 77
    say "looking at each page in Chromium (1 minute)"
    node tests/site/browser_test.cjs "$modules" "$(docs_browser)" --self-test &&
        node tests/site/browser_test.cjs "$modules" "$(docs_browser)" build/site
}
