/* SPDX-License-Identifier: MIT */
/* Makes the theme usable without a mouse: boxes that scroll get the focus, and the search dialog has a name. */
(function () {
    "use strict";
    var boxes = ".md-search__scrollwrap, .md-typeset pre > code, .md-typeset__scrollwrap";
    var search = document.querySelector(".md-search[role=dialog]");
    function reachable() {
        document.querySelectorAll(boxes).forEach(function (box) { box.tabIndex = 0; });
    }
    if (search)
        search.setAttribute("aria-label", "Search");
    reachable();
    new MutationObserver(reachable).observe(document.body, { childList: true, subtree: true }); // the theme wraps tables later
})();
