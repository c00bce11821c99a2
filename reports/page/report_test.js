"use strict";
// Drives a report in a browser as a reader would. Arguments: the report, the folder for pictures. Expects a
// run in which the case $FAILING failed at the next hop, and says what is not as it should be.
const { chromium } = require("playwright-core");
const { mkdirSync } = require("node:fs");

const [report, pictures] = process.argv.slice(2);
const failing = process.env.FAILING;
let failures = 0;
const check = (holds, what) => {
  if (holds) return;
  failures += 1;
  console.log("FAIL: " + what);
};
const equal = (got, expected, what) => check(got === expected, `${what}: expected ${expected}, got ${got}`);

(async () => {
  mkdirSync(pictures, { recursive: true });
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"] });
  const page = await browser.newPage({ viewport: { width: 1560, height: 900 }, colorScheme: "light" });
  page.on("pageerror", (error) => check(false, "a script of the page broke: " + error.message));
  page.on("console", (message) => check(message.type() !== "error", "the console says: " + message.text()));
  page.on("request", (request) => check(request.url().startsWith("file:"), "the page fetches " + request.url()));

  const began = Date.now();
  await page.goto("file://" + report);
  await page.waitForSelector("#list > li");
  console.log(`opened in ${Date.now() - began} ms`);

  // What a reader asks first.
  equal(await page.locator("h1").textContent(), "Postern: FAILED", "the heading");
  const [, total, bad] = (await page.locator("#found").textContent()).match(/^([\d,]+) of .* cases, ([\d,]+) did not pass$/) || [];
  check(total !== undefined, "the count of cases is not there");
  check((await page.locator(".counts").textContent()).includes(`${bad} fail`), "the counts above and below differ");
  await page.screenshot({ path: pictures + "/report.png" });

  // Each cell leads to as many cases as it tells: some of every grid, of both legs.
  const said = await page.evaluate(() => [...document.querySelectorAll("table.grid")].flatMap((table) => {
    const all = [...table.querySelectorAll("a.cell")];
    return [0, 1, 2, 3, 4, 5].map((i) => all[Math.floor(i * (all.length - 1) / 5)]);
  }).map((cell) => [cell.hash, cell.getAttribute("aria-label")]));
  for (const [hash, label] of said) {
    await page.evaluate((to) => { location.hash = to; }, hash);
    await page.waitForFunction((to) => location.hash === to && document.getElementById("found").textContent.includes("; of suite"), hash);
    equal((await page.locator("#found").textContent()).split(" ")[0], (label.match(/; ([\d,]+) cases?/) || [])[1], "cases of the cell " + label);
  }
  // So does a requirement that was broken.
  const [broken, count] = await page.evaluate(() => {
    const link = [...document.querySelectorAll('#failures a[href^="#broken="]')].pop();
    return [link.hash, link.textContent.match(/[\d,]+/)[0]];
  });
  await page.evaluate((to) => { location.hash = to; }, broken);
  await page.waitForFunction(() => document.getElementById("found").textContent.includes("; of broken"));
  equal((await page.locator("#found").textContent()).split(" ")[0], count, "cases of " + broken);
  // So does every requirement, of the places where a message may be seen and of warnings too.
  const cited = await page.evaluate(() => [...document.querySelectorAll("#requirements tbody tr")].map((row) => [row.querySelector("a").hash, row.cells[2].textContent]));
  for (const id of ["LEAK-1", "LEAK-2", "LEAK-4", "OUT-5", "SET-3", "SET-4"])
    check(cited.some(([hash]) => hash === "#requirement=" + id), `the table of requirements lacks ${id}`);
  for (const [hash, cases] of cited) {
    await page.evaluate((to) => { location.hash = to; }, hash);
    await page.waitForFunction((to) => location.hash === to && document.querySelector('select[name="requirement"]').value === to.split("=")[1], hash);
    equal((await page.locator("#found").textContent()).split(" ")[0], cases, "cases of " + hash);
  }
  // What no program has written into the address breaks nothing.
  await page.evaluate(() => { location.hash = "#text=100%"; });
  await page.waitForFunction(() => document.getElementById("found").textContent.startsWith("0 of"));
  await page.evaluate(() => { location.hash = "#grid"; });
  await page.getByRole("button", { name: "All cases" }).click();
  await page.waitForFunction((all) => document.getElementById("found").textContent.startsWith(all + " of"), total);

  // The grid by keyboard: one stop, arrows, Enter.  The pointer rests on no cell.
  await page.mouse.move(0, 0);
  const cells = page.locator("table.grid").first().locator("a.cell");
  check(await cells.count() > 10, "the grid has no cells");
  await cells.first().focus();
  equal(await page.locator("#told").textContent(), await cells.first().getAttribute("aria-label"), "what is told of a cell");
  equal(await page.locator('table.grid a.cell[tabindex="0"]').count(), await page.locator("table.grid").count(), "stops of the Tab key");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  const label = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
  equal(await page.locator("#told").textContent(), label, "what is told of the cell moved to");
  await page.keyboard.press("Enter");
  await page.waitForFunction((all) => !document.getElementById("found").textContent.startsWith(all + " of"), total);
  const inCell = Number((label.match(/; ([\d,]+) cases?/) || [])[1]);
  equal(Number((await page.locator("#found").textContent()).split(" ")[0]), inCell, "cases of the cell");
  await page.locator("#grid").scrollIntoViewIfNeeded();
  const nothingAbove = "nav, #told { position: static !important; }";
  await page.locator("#grid").screenshot({ path: pictures + "/grid.png", style: nothingAbove });

  // Filters.
  await page.locator('select[name="verdict"]').selectOption("fail");
  await page.locator('input[name="text"]').fill("");
  await page.getByRole("button", { name: "All cases" }).click();
  await page.locator('select[name="verdict"]').selectOption("fail");
  await page.waitForFunction((bad) => document.getElementById("found").textContent.startsWith(bad + " of"), bad);
  await page.getByRole("button", { name: "All cases" }).click();
  await page.locator('select[name="sent"]').selectOption("redirect clear");
  await page.locator('select[name="client"]').selectOption("plain");
  await page.waitForFunction(() => document.querySelectorAll("#list .came").length > 0 &&
    [...document.querySelectorAll("#list .came")].every((one) => one.textContent.includes("out: redirect clear")) &&
    [...document.querySelectorAll("#list .id")].every((one) => one.textContent.includes("client=plain/")));
  await page.getByRole("button", { name: "All cases" }).click();
  await page.locator('input[name="text"]').fill(failing);
  await page.waitForFunction(() => /^1 of/.test(document.getElementById("found").textContent));

  // A case.
  const head = page.locator("#list .head").first();
  await head.dblclick();
  equal(await head.getAttribute("aria-expanded"), "false", "the state of a case that was opened and closed");
  await head.click();
  await page.waitForSelector(".ladder");
  equal(await page.locator("#list .case").count(), 1, "drawings of the case");
  check(page.url().includes("#case="), "the case does not stand in the address");
  equal(await head.getAttribute("aria-expanded"), "true", "the case's state");
  const one = page.locator("#list .case").first();
  const words = await one.innerText();
  for (const wanted of ["expected", "got", "because", "rule", "evidence", "The gateway's own lines", "Run this case again"])
    check(words.includes(wanted), `the case lacks "${wanted}"`);
  equal((await one.locator(".leg.unmet h4").allTextContents()).join("; "), "Outbound: from the gateway to the next hop; Where the message may be seen", "what was not met");
  equal(await one.locator(".ladder .differs").count(), 1, "steps that are marked as the first that differs");
  check((await one.locator(".ladder .differs").innerText()).includes("MAIL FROM"), "the first that differs is not the envelope that was disclosed");
  check(await one.locator(".ladder .border").count() >= 1, "the border where TLS begins is not drawn");
  check(await one.locator(".ladder .arrow.clear").count() > 3, "no clear text is drawn");
  check(await one.locator(".ladder .arrow.tls").count() > 3, "no TLS is drawn");
  check((await one.locator(".ladder .vh").first().textContent()).startsWith("client to gateway, in clear text"), "a step does not say who spoke");
  const box = await one.evaluate((node) => { const r = node.getBoundingClientRect(); return { x: r.x, y: r.y + scrollY, width: r.width, height: Math.min(r.height, 2050) }; });
  await page.screenshot({ path: pictures + "/case.png", fullPage: true, clip: box });
  await head.click();
  equal(await head.getAttribute("aria-expanded"), "false", "the case's state when closed");

  // A case by its address, in the dark, and on paper.
  const dark = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: "dark" });
  await dark.goto(`file://${report}#case=${encodeURIComponent(failing)}`);
  await dark.waitForSelector(".ladder");
  equal(await dark.locator("#found").textContent(), "One case", "the case by its address");
  check(await dark.evaluate(() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return r + g + b < 200;
  }), "the page is not dark where the reader wants it dark");
  const overhang = () => dark.evaluate(() => Math.max(...[...document.querySelectorAll("table.grid")]
    .map((one) => one.getBoundingClientRect().right - one.closest("section").getBoundingClientRect().right)));
  check(await overhang() <= 0, "a grid is wider than a screen of 1280 pixels, by " + await overhang());
  await dark.emulateMedia({ media: "print" });
  await dark.setViewportSize({ width: 718, height: 1000 }); // Upright A4 without its margins.
  check(await overhang() <= 0, "a grid is wider than the paper");
  check(!await dark.locator("nav").isVisible(), "the paper has the navigation");

  // Everything that can be used has a name, and headings leave no level out.
  const nameless = await page.evaluate(() => [...document.querySelectorAll("a, button, select, input, summary")]
    .filter((one) => !(one.textContent.trim() || one.getAttribute("aria-label") || one.closest("label"))).map((one) => one.outerHTML.slice(0, 80)));
  equal(nameless.join("; "), "", "controls without a name");
  const levels = await page.evaluate(() => [...document.querySelectorAll("h1, h2, h3, h4")].map((one) => Number(one.tagName[1])));
  check(levels.every((level, i) => i === 0 || level <= levels[i - 1] + 1 || level === 4), "headings leave a level out");
  await browser.close();
  process.exit(failures ? 1 : 0);
})().catch((error) => { console.log("FAIL: " + error.message); process.exit(1); });
