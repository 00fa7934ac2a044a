// SPDX-License-Identifier: MIT
// browser_test.cjs MODULES CHROMIUM SITE [SHOTS]: looks at every page of the documentation site in a real browser.
//
// MODULES is the node_modules folder with playwright-core and axe-core. The pages come from a server on this machine; no
// other address is reachable. Each page must load without an error on the console, fit into 360 and 1440 pixels, and
// have no fault that axe-core calls serious or critical, in light and in dark colours. Each link must lead to a page, and
// to an anchor of it. The search must find something, over HTTP and for pages that are opened as files. With SHOTS, a
// picture of each page goes into that folder. `--self-test` as SITE plants faults in a page, and finds them.
"use strict";
const fs = require("fs");
const http = require("http");
const os = require("os");
const path = require("path");
const url = require("url");

const [modules, chromium, wanted, shots] = process.argv.slice(2);
const { chromium: browserType } = require(path.join(modules, "playwright-core"));
const axe = fs.readFileSync(path.join(modules, "axe-core", "axe.min.js"), "utf8");
const WIDTHS = [360, 1440];
const AT_ONCE = 4;
// All pages are checked at the same time, and a page in the background would get little processor time.
const BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-renderer-backgrounding", "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows"];
const NO_INDEX = { config: { lang: ["en"], separator: "[\\s\\-]+", pipeline: [] }, docs: [] };
const TYPES = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json",
    ".svg": "image/svg+xml", ".png": "image/png" };

function filesBelow(folder, ending) {
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const name = path.join(folder, entry.name);
        return entry.isDirectory() ? filesBelow(name, ending) : name.endsWith(ending) ? [name] : [];
    });
}

function serve(folder) {
    const server = http.createServer((request, response) => {
        const name = path.join(folder, decodeURIComponent(new URL(request.url, "http://x").pathname));
        if (!name.startsWith(folder) || !fs.existsSync(name) || fs.statSync(name).isDirectory()) {
            response.writeHead(404).end();
            return;
        }
        response.writeHead(200, { "Content-Type": TYPES[path.extname(name)] || "application/octet-stream" });
        fs.createReadStream(name).pipe(response);
    });
    return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

// Runs in the page: its anchors, and where its links lead.
function anchorsAndLinks() {
    return {
        ids: [...document.querySelectorAll("[id]")].map((element) => element.id),
        links: [...document.querySelectorAll("a[href]")].map((element) => element.href),
    };
}

// Runs in the page: true if it can be scrolled sideways, and the elements that make it so.
function overflow() {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width)
        return null;
    const wide = [...document.querySelectorAll(".md-content *")].filter((each) => !each.closest("code, table") &&
        each.getBoundingClientRect().right > width + 1);
    return wide.slice(0, 3).map((each) => `<${each.tagName.toLowerCase()}> ${each.textContent.trim().slice(0, 40)}`).join(", ") ||
        "outside of the text";
}

async function useColours(page, scheme) {
    await page.evaluate((name) => document.body.setAttribute("data-md-color-scheme", name), scheme);
}

// A page of the browser, which looks at one page of the site after the other.
async function openPage(context, base, looks) {
    const page = await context.newPage(), viewer = { page, looks, faults: [] };
    page.on("console", (message) =>
        ["error", "warning"].includes(message.type()) && viewer.faults.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => viewer.faults.push(`script: ${error.message}`));
    page.on("request", (request) => {
        if (!request.url().startsWith(base) && !/^(data|about):/.test(request.url()))
            viewer.faults.push(`asks for ${request.url()}, which is elsewhere`);
    });
    return viewer;
}

async function checkPage(viewer, base, name, pages) {
    const page = viewer.page, faults = viewer.faults = [];
    const answer = await page.goto(base + name, { waitUntil: "load" });
    if (!answer.ok())
        faults.push(`status ${answer.status()}`);
    await page.addStyleTag({ content: "* { transition: none !important; animation: none !important; }" });
    pages.set(base + name, await page.evaluate(anchorsAndLinks));
    for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        const wide = await page.evaluate(overflow);
        if (wide !== null)
            faults.push(`is wider than ${width} pixels: ${wide}`);
        for (const scheme of shots ? ["default", "slate"] : []) {
            await useColours(page, scheme);
            await page.screenshot({ path: path.join(shots, `${name.replace(/\W/g, "_")}-${width}-${scheme}.png`) });
        }
    }
    if (!name.startsWith("source/")) { // generated from one template; the colours of code are checked elsewhere
        await page.evaluate(axe);
        for (const scheme of ["default", "slate"]) {
            await useColours(page, scheme);
            const found = await page.evaluate(runAxe, { coloursOnly: scheme === "slate", seen: [...seenOften(viewer.looks)] });
            found.looks.forEach((look) => viewer.looks.set(look, (viewer.looks.get(look) || 0) + 1));
            faults.push(...found.faults.map((each) => `axe, ${scheme}: ${each}`));
        }
    }
    return faults;
}

// The looks of which enough texts were checked. A text can be out of sight, or below another element, and axe leaves it out.
function seenOften(looks) {
    return [...looks].filter(([, count]) => count >= 3).map(([look]) => look);
}

// Runs in the page. The second run checks only what differs between light and dark. The navigation is the same on each page,
// so the home page's is checked. The contrast of a text follows from its look: the styles of its element and of those around
// it. So only some texts of each look are checked: most of the time of axe went into texts that look alike.
async function runAxe({ coloursOnly, seen }) {
    const enough = new Set(seen), checked = [];
    const isHome = /index\.html$/.test(location.pathname), grounds = new Map(), looks = new Map();
    function groundOf(element) {
        if (!element)
            return "";
        if (!grounds.has(element)) {
            const style = getComputedStyle(element);
            grounds.set(element, [groundOf(element.parentElement), style.backgroundColor.replace("rgba(0, 0, 0, 0)", ""),
                style.backgroundImage.replace("none", ""), style.opacity.replace(/^1$/, ""), style.filter.replace("none", "")].join(" ").trim());
        }
        return grounds.get(element);
    }
    function isChecked(element) {
        return element.checkVisibility({ visibilityProperty: true }) && !element.closest("[aria-disabled=true], script, style") &&
            (isHome || !element.closest(".md-nav"));
    }
    document.querySelectorAll("[data-look]").forEach((element) => element.removeAttribute("data-look"));
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !isChecked(element))
            continue;
        const style = getComputedStyle(element);
        const look = [groundOf(element), style.color, style.fontSize, style.fontWeight, style.textShadow].join(";");
        const alike = looks.get(look) || new Set();
        if (!enough.has(look) && alike.size < 3)
            looks.set(look, alike.add(element));
    }
    looks.forEach((alike, look) => alike.forEach((element) => {
        element.setAttribute("data-look", "");
        checked.push(look);
    }));
    if (coloursOnly && !checked.length)
        return { faults: [], looks: [] };
    window.axe.configure({ rules: [{ id: "color-contrast", selector: "[data-look]" }] });
    const exclude = isHome || !document.querySelector(".md-nav") ? [] : [[".md-nav"]];
    const options = { resultTypes: ["violations"], ...(coloursOnly ? { runOnly: { type: "rule", values: ["color-contrast"] } } : {}) };
    const found = (await window.axe.run({ include: [["html"]], exclude }, options)).violations;
    const faults = found.filter((each) => ["serious", "critical"].includes(each.impact)).map((each) =>
        `${each.id}: ${each.nodes.length} times, such as ${each.nodes[0].html.slice(0, 160)} ${each.nodes[0].any.map((why) => why.message).join(" ")
            .slice(0, 200)}`);
    return { faults, looks: checked };
}

function checkLinks(pages, base) {
    const faults = [];
    for (const [where, { links }] of pages) {
        for (const link of new Set(links)) {
            const [target, anchor] = link.split("#");
            if (!target.startsWith(base))
                continue;
            const page = pages.get(target.endsWith("/") ? target + "index.html" : target);
            if (!page && !/\.(svg|png|json|yml)$/.test(target))
                faults.push(`${where}: ${link} leads to no page`);
            else if (page && anchor && !page.ids.includes(decodeURIComponent(anchor)) && !anchor.startsWith("__"))
                faults.push(`${where}: ${link} leads to no anchor`);
        }
    }
    return faults;
}

async function checkSearch(context, home) {
    const page = await context.newPage(), faults = [];
    page.on("pageerror", (error) => faults.push(`${home}: script: ${error.message}`));
    await page.goto(home, { waitUntil: "load" });
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.click(".md-search__input");
    try {
        await page.waitForFunction(() => /Type to start/.test(document.querySelector(".md-search-result__meta").textContent));
        await page.keyboard.type("broadcast");
        await page.waitForSelector(".md-search-result__item a", { timeout: 30000 });
        if (shots)
            await page.screenshot({ path: path.join(shots, `search-${new URL(home).protocol.slice(0, -1)}.png`) });
    } catch (error) {
        faults.push(`${home}: the search for "broadcast" finds nothing`);
    }
    await page.close();
    return faults;
}

async function check(browser, site) {
    const server = await serve(site), base = `http://127.0.0.1:${server.address().port}/`, pages = new Map(), looks = new Map(), faults = [];
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const withoutSearch = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    try {
        // Each page would build the index of all pages anew, which takes longer than all checks of the page.
        await withoutSearch.route("**/search/search_index.json", (route) => route.fulfill({ json: NO_INDEX }));
        const names = filesBelow(site, ".html").map((name) => path.relative(site, name)).filter((name) => name !== "404.html").sort();
        await Promise.all(Array.from({ length: Math.min(AT_ONCE, names.length) }, async () => {
            const viewer = await openPage(withoutSearch, base, looks);
            for (let name = names.shift(); name; name = names.shift())
                faults.push(...(await checkPage(viewer, base, name, pages)).map((fault) => `${name}: ${fault}`));
        }));
        faults.push(...checkLinks(pages, base));
        if (fs.existsSync(path.join(site, "search", "search_index.json"))) {
            faults.push(...await checkSearch(context, base + "index.html"));
            faults.push(...await checkSearch(context, url.pathToFileURL(path.join(site, "index.html")).href));
        }
    } finally {
        await withoutSearch.close();
        await context.close();
        server.close();
    }
    return { faults, count: pages.size };
}

const PLANTS = [
    ["<a href='none.html'>x</a>", "leads to no page"],
    ["<a href='#none'>x</a>", "leads to no anchor"],
    ["<div class='md-content'><p style='width: 400px'>wide</p></div>", "wider than 360"],
    ["<p style='color: #ddd; background: #fff'>pale</p>", "axe, default: color-contrast"],
    ["<script>console.error('planted')</script>", "console: planted"],
    ["<script>throw new Error('planted')</script>", "script: planted"],
    ["<img alt='x' src='http://127.0.0.2:9/x.png'>", "is elsewhere"],
    ["<img alt='x' src='none.png'>", "console: "],
];

async function selfTest(browser) {
    const head = "<!DOCTYPE html><html lang='en'><head><meta name='viewport' content='width=device-width'>" +
        "<link rel='icon' href='data:,'><title>x</title></head><body><main><h1>x</h1>";
    for (const [plant, expected] of [["", ""], ...PLANTS]) {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "quoit-site-"));
        fs.writeFileSync(path.join(folder, "index.html"), `${head}${plant}</main></body></html>`);
        const { faults } = await check(browser, folder);
        fs.rmSync(folder, { recursive: true });
        if (expected ? !faults.some((fault) => fault.includes(expected)) : faults.length > 0)
            throw new Error(`self-test: ${plant || "a page without a fault"}: ${JSON.stringify(faults)}`);
    }
    console.log(`browser_test.cjs: ${PLANTS.length} planted faults found`);
}

async function main() {
    const browser = await browserType.launch({ executablePath: chromium, args: BROWSER_OPTIONS });
    try {
        if (wanted === "--self-test")
            return await selfTest(browser);
        if (shots)
            fs.mkdirSync(shots, { recursive: true });
        const { faults, count } = await check(browser, path.resolve(wanted));
        faults.forEach((fault) => console.log(fault));
        console.log(`${count} pages, ${faults.length} faults`);
        process.exitCode = faults.length || !count ? 1 : 0;
    } finally {
        await browser.close();
    }
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
