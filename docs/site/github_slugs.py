# SPDX-License-Identifier: MIT
"""Anchors of headings as GitHub makes them, so that a link works in the repository and on the site."""
import re


def slugify(heading, separator):
    plain = re.sub(r"<[^>]*>", "", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", separator)
