"use strict";
// Drives the settings page in a browser as an administrator would. Arguments: its address, the folder for
// pictures. $SMTP_PORT is where the gateway takes mail. It says what is not as it should be.
const { chromium } = require("playwright-core");
const { execFileSync } = require("node:child_process");
const { mkdirSync, writeFileSync } = require("node:fs");
const net = require("node:net");

const [address, pictures] = process.argv.slice(2);
let failures = 0;
const check = (holds, what) => {
  if (holds) return;
  failures += 1;
  console.log("FAIL: " + what);
};
const equal = (got, expected, what) => check(got === expected, `${what}: expected ${expected}, got ${got}`);

// smtp says EHLO and MAIL in clear text, and goes on to a message where there is a recipient. It gives all that was
// answered.
const smtp = (recipient) => new Promise((resolve, reject) => {
  let said = "";
  const socket = net.connect(Number(process.env.SMTP_PORT), "127.0.0.1");
  socket.setTimeout(20000, () => socket.destroy(new Error("the gateway says nothing")));
  socket.on("data", (bytes) => {
    said += bytes;
    if (/^220 .*\r\n$/.test(said)) socket.write("EHLO client.test\r\n");
    else if (/^250 .*\r\n$/m.test(said) && !/^(530|250 2\.1\.0) /m.test(said)) socket.write("MAIL FROM:<a@a.test>\r\n");
    else if (/^(250 2\.0\.0|[45]\d\d) .*\r\n$/m.test(said)) socket.write("QUIT\r\n");
    else if (/^354 .*\r\n$/m.test(said)) socket.write("Subject: x\r\n\r\nhello\r\n.\r\n");
    else if (/^250 2\.1\.5 .*\r\n$/m.test(said)) socket.write("DATA\r\n");
    else if (/^250 2\.1\.0 .*\r\n$/m.test(said)) socket.write(recipient ? `RCPT TO:<${recipient}>\r\n` : "QUIT\r\n");
  });
  socket.on("end", () => { socket.end(); resolve(said); });
  socket.on("error", reject);
});
const offers = (said) => /^250[- ]STARTTLS\r$/m.test(said);
const demands = (said) => /^530 5\.7\.0 /m.test(said);

const visitor = async (browser, options) => {
  const context = await browser.newContext({ viewport: { width: 1360, height: 1000 }, colorScheme: "light", locale: "en-US", ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => check(false, "a script of the page broke: " + error.message));
  page.on("console", (message) => check(message.type() !== "error" || /status of (403|409|422)/.test(message.text()), "the console says: " + message.text()));
  page.on("request", (request) => check(request.url().startsWith(address), "the page fetches " + request.url()));
  return page;
};
const logIn = async (page) => {
  await page.goto(address + "/");
  equal(new URL(page.url()).pathname, "/login", "where a stranger is led");
  await page.locator("#password").fill("correct horse battery");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/encryption");
};
// choose takes a value, and waits until what would happen is shown.
const choose = async (page, list, value) => {
  const shown = page.waitForResponse("**/encryption/consequences");
  await page.locator("#" + list).selectOption(value);
  await (await shown).finished();
};
const row = async (page, peer) => page.locator("tr", { has: page.getByRole("rowheader", { name: peer, exact: true }) }).innerText();
const apply = async (page) => {
  await page.getByRole("button", { name: "Apply" }).click();
  await page.waitForSelector(".status, .error");
};

const administer = async (browser) => {
  const page = await visitor(browser);
  await page.goto(address + "/login");
  await page.locator("#password").fill("wrong");
  await page.keyboard.press("Enter");
  check((await page.locator("[role=alert]").innerText()).includes("wrong"), "a wrong password is not said to be one");
  await logIn(page);

  // SET-1, and what that means.
  equal(await page.locator("#server-level").inputValue(), "attempt", "the server level at first");
  equal(await page.locator("#client-certificate").inputValue(), "none", "client certificates at first");
  equal(await page.locator("#client-level").inputValue(), "attempt", "the client level at first");
  equal(await page.locator("legend").allInnerTexts().then((all) => all.join(", ")),
    "TLS settings for receiving messages, TLS settings for sending messages", "the groups");
  check((await row(page, "sends without TLS")).includes("Accepted in clear text"), "what becomes of a client without TLS");
  let said = await smtp();
  check(offers(said) && !demands(said), "STARTTLS is not offered, or demanded, under attempt: " + said);

  // SET-2: greyed out, and open again.
  await choose(page, "server-level", "none");
  check(await page.locator("#client-certificate").isDisabled(), "client certificates are not greyed out under No TLS");
  check((await page.locator("#client-certificate-meaning").innerText()).startsWith("Not available"), "why they are greyed out is not said");
  await choose(page, "server-level", "attempt");
  check(await page.locator("#client-certificate").isEnabled(), "client certificates stay greyed out");

  // SET-3 and SET-4; nothing has happened yet.
  await choose(page, "client-certificate", "require");
  await page.locator(".warning", { hasText: "works properly only under" }).waitFor();
  check((await page.locator("#client-certificate-meaning").innerText()).includes("only from clients"), "the value is not explained");
  equal(await page.locator("#state").innerText(), "These values are not applied yet.", "the state of what was chosen");
  await page.screenshot({ path: pictures + "/settings-warning.png", fullPage: true });
  await choose(page, "server-level", "require");
  await page.locator(".advice", { hasText: "This is not for a public MX" }).waitFor();
  equal(await page.locator(".warning").count(), 0, "warnings under require and require");
  check(!demands(await smtp()), "what was only chosen is in force");

  // Apply, and what a client sees.
  await choose(page, "client-certificate", "none");
  await choose(page, "client-level", "verify");
  check(/Accepted in clear text\s+Refused \(530\)/.test(await row(page, "sends without TLS")), "what would become of a client without TLS: " + await row(page, "sends without TLS"));
  check((await row(page, "offers TLS, its certificate does not verify")).includes("Stays queued"), "what would become of a bad certificate");
  await page.screenshot({ path: pictures + "/settings-page.png", fullPage: true });
  await apply(page);
  check((await page.locator(".status").innerText()).startsWith("Applied."), "Apply is not answered");
  equal(await page.locator("#state").innerText(), "These are the settings in force.", "the state after Apply");
  equal(await page.locator("#server-level").inputValue(), "require", "the server level after Apply");
  said = await smtp();
  check(offers(said) && demands(said), "STARTTLS is not demanded after Apply: " + said);

  // A form that was changed on its way.
  await page.locator("#levels input[name=csrf]").evaluate((field) => { field.value = "a".repeat(64); });
  await page.getByRole("button", { name: "Apply" }).click();
  await page.locator("[role=alert]", { hasText: "does not belong to your login" }).waitFor();

  // By keyboard alone: into the list, a value, to the button, Apply.
  await page.goto(address + "/encryption");
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
  const stops = [];
  for (let i = 0; i < 12; ++i) {
    await page.keyboard.press("Tab");
    stops.push(await focused());
  }
  equal(stops.join(", "), "Skip to content, TLS encryption, TLS certificates, Queue, Sessions, English, 日本語, Log out, server-level, client-certificate, client-level, Apply", "stops of the Tab key");
  await page.locator("#server-level").focus();
  const shown = page.waitForResponse("**/encryption/consequences");
  await page.keyboard.press("ArrowUp");
  await shown;
  equal(await page.locator("#server-level").inputValue(), "attempt", "the value chosen by keyboard");
  for (let i = 0; i < 3; ++i) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".status");
  check(!demands(await smtp()), "what was applied by keyboard is not in force");

  // Everything that can be used has a name; nothing is wider than the window.
  const nameless = await page.evaluate(() => [...document.querySelectorAll("a, button, select, input:not([type=hidden])")]
    .filter((one) => !(one.textContent.trim() || one.getAttribute("aria-label") || (one.labels && one.labels.length))).map((one) => one.outerHTML.slice(0, 80)));
  equal(nameless.join("; "), "", "controls without a name");
  await page.setViewportSize({ width: 390, height: 800 });
  check(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page is wider than a narrow window");

  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL("**/login");
  await page.goto(address + "/encryption");
  equal(new URL(page.url()).pathname, "/login", "where one is led after the logout");
};

// What waits is held, released and deleted; who connects is seen without a reload.
const lookAround = async (browser) => {
  const page = await visitor(browser);
  await logIn(page);
  await page.getByRole("link", { name: "Queue" }).click();
  check((await page.locator("main").innerText()).includes("The queue is empty."), "an empty queue is not said to be one");
  check(/^250 2\.0\.0 /m.test(await smtp("x@held.test")), "the message was not taken");
  const cells = page.locator("#messages tbody td");
  await page.waitForFunction(async () => (await (await fetch("/queue")).text()).includes("4.4.1"));
  await page.getByRole("link", { name: "Reload" }).click();
  check((await page.locator("#messages").innerText()).includes("x@held.test"), "the message is not listed");
  await page.screenshot({ path: pictures + "/settings-queue.png", fullPage: true });
  await page.getByRole("button", { name: /^Hold / }).click();
  equal(await page.locator(".status").innerText(), "It is on hold.", "what was done");
  equal((await cells.nth(5).innerText()).trim(), "on hold", "the next attempt of a held message");
  await page.getByRole("button", { name: /^Release / }).click();
  equal(await page.locator(".status").innerText(), "It is released, and being tried.", "what was done");
  // Delete, by keyboard, asks: no, then yes.
  for (const answer of ["Cancel", "Yes, delete it"]) {
    await page.waitForFunction(async () => !(await (await fetch("/queue")).text()).includes("under way"));
    await page.getByRole("button", { name: /^Delete / }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("for good?").waitFor();
    await page.locator("main").getByText(answer, { exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/queue(\?done=delete)?$/);
    equal(await page.locator("#messages").count(), answer === "Cancel" ? 1 : 0, "messages listed after " + answer);
  }

  await page.getByRole("link", { name: "Sessions" }).click();
  const rows = page.locator("#clients tbody tr");
  const before = await rows.count();
  check(before > 0, "no session is listed");
  await smtp();
  await page.waitForFunction((count) => document.querySelectorAll("#clients tbody tr").length > count, before);
  check((await rows.first().innerText()).includes("clear text"), "the session in clear text is not said to be one");
  await page.screenshot({ path: pictures + "/settings-sessions.png", fullPage: true });
};

// A look-up that is refused, since another login has taken the place of this one, leaves no old table behind.
const logInElsewhere = async (browser) => {
  const page = await visitor(browser);
  await logIn(page);
  const other = await page.context().newPage();
  await other.goto(address + "/encryption");
  await other.getByRole("button", { name: "Log out" }).click();
  await other.waitForURL("**/login");
  await logIn(other);
  await choose(page, "server-level", "none");
  await page.locator("#consequences", { hasText: "cannot be shown" }).waitFor();
  equal(await page.locator("#consequences table").count(), 0, "tables left when the look-up was refused");
};

// seen is the subject and the issuer that openssl is shown where mail is taken.
const seen = () => execFileSync("openssl", ["s_client", "-starttls", "smtp", "-connect", "127.0.0.1:" + process.env.SMTP_PORT],
  { input: "QUIT\r\n", stdio: ["pipe", "pipe", "ignore"], timeout: 20000 }).toString();

// Certificates are made, asked for, signed by openssl as a CA, imported, chosen and deleted.
const certify = async (browser) => {
  const page = await visitor(browser);
  await logIn(page);
  await page.getByRole("link", { name: "TLS certificates" }).click();
  const own = page.locator("#own tbody tr");
  equal(await own.count(), 1, "certificates at first");
  check(/receiving[^]*kept elsewhere/.test(await own.first().innerText()), "the one in use is not shown: " + await own.first().innerText());
  const fieldset = (name) => page.locator("fieldset", { has: page.locator("legend", { hasText: new RegExp(`^${name}$`) }) });
  const done = async (click) => { await click; await page.locator(".status, .error").waitFor(); };

  const made = fieldset("Make a self-signed certificate");
  await made.getByLabel("DNS names and IP addresses").fill("made.example.test");
  await done(made.locator("button").click());
  await done(page.getByRole("button", { name: "Use for receiving: made.example.test" }).click());
  check(/subject=.*made\.example\.test/.test(seen()), "the certificate that was made is not the one that is shown");

  const asked = fieldset("Make a key and a signing request");
  await asked.getByLabel("DNS names and IP addresses").fill("signed.example.test");
  await done(asked.locator("button").click());
  writeFileSync("asked.csr", await page.evaluate(async () => (await fetch(document.querySelector("a[href*='request?name=']").href)).text()));
  execFileSync("openssl", ["x509", "-req", "-in", "asked.csr", "-CA", "gw.pem", "-CAkey", "gw.key", "-days", "30", "-copy_extensions", "copy", "-out", "signed.pem"], { stdio: "ignore" });
  const imported = fieldset("Import");
  const take = async (file, password = "") => {
    await imported.locator("input[type=file]").setInputFiles(file);
    await imported.locator("input[type=password]").fill(password);
    await done(imported.locator("button").click());
  };
  await take("signed.pem");
  await done(page.getByRole("button", { name: "Use for receiving: signed.example.test" }).click());
  check(/subject=.*signed\.example\.test\s+issuer=.*gw\.example\.test/.test(seen()), "the signed certificate is not the one that is shown");

  execFileSync("openssl", ["pkcs12", "-export", "-in", "gw.pem", "-inkey", "gw.key", "-passout", "pass:secret", "-out", "gw.p12"]);
  await take("gw.p12", "wrong");
  equal(await page.locator(".error pre").innerText(), "the password of this PKCS #12 file is wrong", "the error of a wrong password");
  await take("gw.p12", "secret");
  await page.screenshot({ path: pictures + "/settings-certificates.png", fullPage: true });
  equal(await own.count(), 3, "certificates after all that");
  equal(await page.getByRole("button", { name: "Delete: signed.example.test" }).count(), 0, "buttons that delete what is in use");
  await page.getByRole("button", { name: "Delete: made.example.test" }).click();
  await page.getByRole("button", { name: "Yes, delete it" }).click();
  await page.locator(".status").waitFor();
  equal(await page.getByText("made.example.test").count(), 0, "traces of what was deleted");

  const trusted = fieldset("Import trusted CAs");
  await trusted.locator("input[type=file]").setInputFiles("gw.pem");
  await done(trusted.locator("button").click());
  await done(page.getByRole("button", { name: /^Trust for next hops: / }).click());
  check((await page.locator("#authorities").innerText()).includes("trusted for next hops"), "the CA is not trusted");
};

// A browser that speaks Japanese, and its switch.
const japanese = async (browser) => {
  const page = await visitor(browser, { locale: "ja-JP", colorScheme: "dark" });
  await logIn(page);
  equal(await page.locator("html").getAttribute("lang"), "ja", "the language");
  equal(await page.locator("h1").innerText(), "TLS 暗号化", "the heading");
  await choose(page, "client-certificate", "require");
  await page.locator(".warning", { hasText: "正しく機能します" }).waitFor();
  await page.screenshot({ path: pictures + "/settings-japanese.png", fullPage: true });
  await page.getByRole("link", { name: "English" }).click();
  equal(await page.locator("h1").innerText(), "TLS encryption", "the heading after the switch");
  await page.goto(address + "/encryption");
  equal(await page.locator("html").getAttribute("lang"), "en", "the language that was switched to");
};

// A browser without script: show, then apply what the restart is to keep.
const withoutScript = async (browser) => {
  const page = await visitor(browser, { javaScriptEnabled: false });
  await logIn(page);
  await page.locator("#server-level").selectOption("require");
  await page.locator("#client-level").selectOption("verify");
  await page.getByRole("button", { name: "Show what would happen" }).click();
  equal(await page.locator("#state").innerText(), "These values are not applied yet.", "the state without script");
  equal(await page.locator("#server-level").inputValue(), "require", "what was chosen without script");
  await apply(page);
  check(demands(await smtp()), "what was applied without script is not in force");
};

(async () => {
  mkdirSync(pictures, { recursive: true });
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"] });
  await administer(browser);
  await lookAround(browser);
  await logInElsewhere(browser);
  await certify(browser);
  await japanese(browser);
  await withoutScript(browser);
  await browser.close();
  process.exit(failures ? 1 : 0);
})().catch((error) => { console.log("FAIL: " + error.message); process.exit(1); });
