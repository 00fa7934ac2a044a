/* SPDX-License-Identifier: MIT */
/* The search, for pages that are opened as files. There a browser neither fetches the index nor starts a worker. So the index
   is loaded as a script, and the worker's script runs in a hidden frame instead. */
(function () {
    "use strict";
    if (location.protocol !== "file:")
        return;
    var own = document.currentScript.src;
    document.write('<script src="' + own.replace("assets/offline.js", "search/search_index.js") + '"><\/script>');

    function FrameWorker(url) {
        var target = new EventTarget(), waiting = [], frame = document.createElement("iframe");
        frame.hidden = true;
        frame.title = "search";
        document.body.appendChild(frame);
        var inside = frame.contentWindow;
        inside.postMessage = function (data) {
            target.dispatchEvent(new MessageEvent("message", { data: data }));
        };
        var script = frame.contentDocument.createElement("script");
        script.onload = function () {
            var first = waiting;
            waiting = null;
            first.forEach(target.postMessage);
        };
        script.src = url;
        frame.contentDocument.body.appendChild(script);
        target.postMessage = function (data) {
            if (waiting)
                waiting.push(data);
            else
                inside.dispatchEvent(new inside.MessageEvent("message", { data: data }));
        };
        target.terminate = function () { frame.remove(); };
        return target;
    }
    window.Worker = FrameWorker;
})();
