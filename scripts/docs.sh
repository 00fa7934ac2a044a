# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# ./dev docs: the pictures of the documents. Part of ./dev.

docs_tools() {
    need dot=graphviz python3=python3 /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf=fonts-dejavu-core
}

# docs: draws docs/pictures/*.svg anew, from *.dot.
docs() {
    docs_tools
    python3 docs/pictures/make_pictures.py
    say "the pictures are in docs/pictures; commit those that have changed"
}
