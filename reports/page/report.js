"use strict";
// What the page does beyond standing still: it finds cases, and opens them. The cases lie in the page, in
// packs that are unpacked when one of them is opened; docs/results.md says what is in a case.
(() => {
  const index = JSON.parse(document.getElementById("index").textContent);
  const text = index.texts;
  const verdicts = index.verdicts;
  const cases = index.cases.map((c, at) => ({
    at, verdict: verdicts[c[0]], suite: text[c[1]], name: text[c[2]], gateway: text[c[3]],
    settings: new Map(text[c[4]].split(" ").filter(Boolean).map((pair) => {
      const equals = pair.indexOf("=");
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    })),
    client: text[c[5]], server: text[c[6]], inbound: text[c[7]], outbound: text[c[8]],
    reason: text[c[11]], deviation: text[c[12]],
    unmet: c[13] & 3, follows: (c[13] & 4) !== 0, differs: c[14], broken: text[c[15]],
    requirements: new Set([c[9], c[10], ...c[16]].map((at) => text[at])),
  }));
  for (const one of cases) {
    one.id = one.suite + "/" + one.name;
    one.passed = one.verdict === "pass" || one.verdict === "skip";
  }
  const order = [...cases.filter((c) => !c.passed), ...cases.filter((c) => c.passed)];
  const kPage = 100;

  const el = (tag, properties, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(properties || {})) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value !== false && value !== undefined && value !== null) node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return node;
  };
  const hidden = (words) => el("span", { class: "vh" }, words);

  // Packs.

  const opened = new Map();
  const unpack = async (number) => {
    if (!opened.has(number)) {
      const packed = document.getElementById("pack-" + number).textContent;
      const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      const lines = (await new Response(stream).text()).split("\n");
      opened.set(number, lines);
    }
    return opened.get(number);
  };
  const whole = async (at) => {
    const lines = await unpack(Math.floor(at / index.pack));
    return JSON.parse(lines[at % index.pack]);
  };

  // Ladder.

  const kLines = 12;
  const linesOf = (bytes) => {
    const lines = bytes.split("\r\n");
    if (lines[lines.length - 1] === "") lines.pop();
    else lines[lines.length - 1] += " (no CRLF)";
    return lines.map((line) => line.replaceAll("\r", "\\r").replaceAll("\n", "\\n").replaceAll("\t", "\\t"));
  };
  const said = (bytes) => {
    const lines = linesOf(bytes);
    if (lines.length <= kLines + 1) return [el("pre", {}, lines.join("\n"))];
    const rest = el("pre", { hidden: true }, lines.slice(kLines).join("\n"));
    const button = el("button", { type: "button", onclick: () => { rest.hidden = false; button.remove(); } },
      `${lines.length - kLines} more lines`);
    return [el("pre", {}, lines.slice(0, kLines).join("\n")), button, rest];
  };
  const phaseWords = { clear: "in clear text", handshake: "in the handshake", tls: "inside TLS" };
  const describe = (event) => {
    const words = event.text || "";
    if (event.kind === "note" || event.kind === "close") return words || event.kind;
    if (event.kind === "reset" && words === "refused") return "refuses the connection";
    const name = { reset: "resets the connection", timeout: "nothing came within the time limit", alert: "TLS alert",
      leak: "LEAK", differs: "Not as expected", connect: "connection " + event.connection }[event.kind] || event.kind;
    return !words || words === "reset" || words === "time limit" ? name : name + ": " + words;
  };

  // step draws one event: its time, and what was said in the gap of its leg.
  const step = (event, several, first) => {
    const inbound = event.side === "client";
    const content = [];
    if (several.get(event.side) > 1 && event.connection > 0) content.push(el("span", { class: "note" }, `[${event.connection}] `));
    if (event.side === "sender") content.push(el("span", { class: "note" }, "sender's mailbox "));
    if (first) content.unshift(el("span", { class: "which" }, "The first that differs"));
    if (event.kind === "handshake") {
      const agreed = event.phase === "tls";
      content.push(el("div", { class: agreed ? "border" : "border failed" }, agreed ? "TLS begins" : "TLS fails", el("small", {}, event.text || "")));
    } else if (!event.from) {
      content.push(el("span", { class: event.kind === "leak" || event.kind === "differs" ? "alarm" : "note" }, describe(event)));
    } else {
      const peer = inbound ? "client" : event.side === "sender" ? "mailbox" : "server";
      const way = event.from === "peer" ? `${peer} to gateway` : `gateway to ${peer}`;
      const rightward = inbound === (event.from === "peer");
      content.push(hidden(`${way}, ${phaseWords[event.phase] || ""}: `));
      content.push(...(event.kind === "data" ? said(event.text || "") : [el("span", { class: "note" }, describe(event))]));
      content.push(el("div", { class: `arrow ${rightward ? "right" : "left"} ${event.phase}` }));
    }
    const gap = (mine) => el("div", { class: "gap" + (mine ? " said" : "") + (mine && event.phase === "tls" ? " tls" : "") }, ...(mine ? content : []));
    return el("li", { class: first ? "differs" : false }, el("span", { class: "time" }, (event.at / 1000).toFixed(3)), gap(inbound), gap(!inbound));
  };
  const ladder = (events, differs) => {
    const several = new Map();
    for (const event of events) several.set(event.side, Math.max(several.get(event.side) || 0, event.connection || 0));
    const names = el("li", { class: "names", "aria-hidden": "true" }, el("span", { class: "time" }, "ms"),
      el("div", { class: "gap" }, el("span", {}, "client"), el("span", {}, "gateway")),
      el("div", { class: "gap" }, el("span", {}), el("span", {}, "server")));
    const sorted = events.map((event, i) => [event, i]).sort((a, b) => a[0].at - b[0].at || a[1] - b[1]).map((pair) => pair[0]);
    const list = el("ol", { class: "ladder" }, names, ...sorted.map((event, i) => step(event, several, i === differs)));
    return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "What was said" }, list);
  };

  // A case.

  const facts = (outcome, more) => outcome ? [outcome, ...Object.entries(more || {}).map(([k, v]) => `${k}=${v}`)].join(" ") : "nothing that could be judged";
  const cited = (one) => el("span", {}, el("a", { href: "#requirement=" + encodeURIComponent(one.requirement) }, one.requirement), " ", one["requirement-text"] || "");
  const leg = (title, one, unmet) => {
    if (!one.requirement && !one.observed) return null;
    const rows = [];
    const row = (name, value) => { if (value) rows.push(el("dt", {}, name), el("dd", {}, value)); };
    row("expected", one.expected);
    row("letter", one.letter);
    row("policy", one.policy);
    row("got", facts(one.observed, one["observed-facts"]) + (one.grade ? ` (meets the ${one.grade})` : ""));
    row("because", one.requirement && cited(one));
    row("rule", one.rule);
    row("evidence", (one.evidence || []).join(", "));
    return el("section", { class: unmet ? "leg unmet" : "leg" }, el("h4", {}, title), el("dl", {}, ...rows));
  };
  const demand = (one) => el("section", { class: one.broken ? "leg unmet" : "leg" }, el("h4", {}, one.leg ? "Where the message may be seen" : "The settings of the gateway"),
    el("dl", {}, el("dt", {}, "because"), el("dd", {}, cited(one)), ...(one.rule ? [el("dt", {}, "rule"), el("dd", {}, one.rule)] : [])));
  const again = (command) => el("div", { class: "again" }, el("code", {}, command),
    el("button", { type: "button", hidden: !navigator.clipboard,
      onclick: (event) => navigator.clipboard.writeText(command).then(() => { event.target.textContent = "Copied"; }) }, "Copy"));
  const drawn = (one, full) => el("div", { class: "case" },
    full.reason ? el("p", { class: "why" }, full.reason) : null,
    full.details ? el("ul", {}, ...full.details.map((line) => el("li", {}, line))) : null,
    full.file ? el("p", { class: "dim" }, `${full.file}:${full.line || 1}`, full.gateway ? `, gateway ${full.gateway}` : "") : null,
    full.settings ? el("p", { class: "dim" }, Object.entries(full.settings).map(([k, v]) => `${k}=${v}`).join(", ")) : null,
    el("div", { class: "legs" }, leg("Inbound: from the client to the gateway", full.inbound, one.unmet & 1),
      leg("Outbound: from the gateway to the next hop", full.outbound, one.unmet & 2), ...(full.demands || []).map(demand)),
    full.events ? el("section", {}, el("h4", {}, "What was said, in milliseconds"),
      el("p", {}, el("span", { class: "clear-key" }, "── clear text"), "  ", el("span", { class: "shake-key" }, "╌╌ handshake"), "  ", el("span", { class: "tls-key" }, "══ inside TLS")),
      ladder(full.events, one.differs)) : null,
    full.warnings ? el("section", {}, el("h4", {}, "The gateway warns"), el("pre", {}, full.warnings.join("\n"))) : null,
    full.record ? el("section", {}, el("h4", {}, "The gateway's own lines"), el("pre", {}, full.record.join("\n"))) : null,
    full.rerun ? el("section", {}, el("h4", {}, "Run this case again"), again(full.rerun)) : null);

  const list = document.getElementById("list");
  const came = (one) => [one.inbound && "in: " + one.inbound, one.outbound && "out: " + one.outbound].filter(Boolean).join("; ");
  const entry = (one) => {
    const body = el("div", { hidden: true });
    const head = el("button", { type: "button", class: "head", "aria-expanded": "false" },
      el("span", { class: "badge " + one.verdict }, one.verdict),
      el("span", { class: "id" }, one.id, one.reason ? el("span", { class: "reason" }, one.reason) : null),
      el("span", { class: "came" }, came(one)));
    const item = el("li", {}, head, body);
    // What is asked for is known at once, what is drawn a moment later.
    const isOpen = () => head.getAttribute("aria-expanded") === "true";
    let drawing;
    item.open = async () => {
      head.setAttribute("aria-expanded", "true");
      drawing ||= whole(one.at).then((full) => body.append(drawn(one, full)));
      await drawing;
      body.hidden = !isOpen();
    };
    head.addEventListener("click", () => {
      if (isOpen()) {
        head.setAttribute("aria-expanded", "false");
        body.hidden = true;
        return;
      }
      item.open();
      history.replaceState(null, "", "#case=" + encodeURIComponent(one.id));
    });
    return item;
  };

  // Filters: all of them stand in the address, so that a choice can be kept and sent.

  const uniq = (values) => [...new Set(values)].filter(Boolean);
  const settings = [...index.settings, ...uniq(cases.flatMap((c) => [...c.settings.keys()])).filter((name) => !index.settings.includes(name))];
  const inOrder = (key, values) => {
    const known = index.values[key] || [];
    return [...known.filter((v) => values.includes(v)), ...values.filter((v) => !known.includes(v)).sort()];
  };
  const choices = [
    ["verdict", ["not-passed", ...verdicts.filter((v) => cases.some((c) => c.verdict === v))]],
    ["gateway", uniq(cases.map((c) => c.gateway)).sort()],
    ["requirement", uniq(cases.flatMap((c) => [...c.requirements])).sort(new Intl.Collator("en", { numeric: true }).compare)],
    ["received", uniq(cases.map((c) => c.inbound)).sort()],
    ["sent", uniq(cases.map((c) => c.outbound)).sort()],
    ["client", inOrder("client", uniq(cases.map((c) => c.client)))],
    ["server", inOrder("server", uniq(cases.map((c) => c.server)))],
    ...settings.map((name) => [name, inOrder(name, uniq(cases.map((c) => c.settings.get(name))))]),
  ].filter(([, values]) => values.length > 1);
  const form = document.getElementById("filter");
  const search = el("input", { type: "search", name: "text", placeholder: "id, reason or outcome" });
  form.append(el("label", {}, "text", search), ...choices.map(([name, values]) =>
    el("label", {}, name, el("select", { name }, el("option", { value: "" }, "all"), ...values.map((v) => el("option", { value: v }, v))))),
    el("button", { type: "reset" }, "All cases"));

  const wanted = (one, want) => {
    for (const [key, value] of want) {
      if (key === "text") {
        const all = `${one.id} ${one.reason} ${one.inbound} ${one.outbound} ${one.deviation}`.toLowerCase();
        if (!value.toLowerCase().split(/\s+/).every((word) => all.includes(word))) return false;
      } else if (key === "verdict") {
        if (value === "not-passed" ? one.passed : one.verdict !== value) return false;
      } else if (key === "requirement") {
        if (!one.requirements.has(value)) return false;
      } else if (key === "received" || key === "sent") {
        if ((key === "received" ? one.inbound : one.outbound) !== value) return false;
      } else if (key === "broken") {
        if (one.passed || one.broken !== value) return false;
      } else if (key === "next-hop") {
        if (one.server !== value || one.follows) return false;
      } else if (key === "gateway" || key === "client" || key === "server" || key === "suite") {
        if (one[key] !== value) return false;
      } else if (one.settings.get(key) !== value) return false;
    }
    return true;
  };
  let found = [];
  let shown = 0;
  const more = document.getElementById("more");
  const showMore = () => {
    list.append(...found.slice(shown, shown + kPage).map(entry));
    shown = Math.min(found.length, shown + kPage);
    more.hidden = shown === found.length;
    more.textContent = `Show ${Math.min(kPage, found.length - shown)} more`;
  };
  more.addEventListener("click", showMore);
  const number = new Intl.NumberFormat("en");
  const choose = (want) => {
    found = order.filter((one) => wanted(one, want));
    const bad = found.filter((one) => !one.passed).length;
    document.getElementById("found").textContent = `${number.format(found.length)} of ${number.format(cases.length)} cases` + (bad ? `, ${number.format(bad)} did not pass` : "") +
      (cell.length ? "; of " + cell.map(([k, v]) => `${k} ${v || "none"}`).join(", ") : "");
    list.replaceChildren();
    shown = 0;
    showMore();
  };
  // What the address says beyond the lists above: a cell of the grid, a requirement that was broken.
  let cell = [];
  const chosen = () => [...cell, ...[...new FormData(form)].filter(([, value]) => value !== "")];
  const address = (want) => "#" + want.map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join("&");
  let pending = 0;
  form.addEventListener("input", () => {
    clearTimeout(pending);
    pending = setTimeout(() => { history.replaceState(null, "", address(chosen())); choose(chosen()); }, 120);
  });
  form.addEventListener("reset", () => setTimeout(() => { cell = []; history.replaceState(null, "", "#cases"); choose([]); }));
  form.addEventListener("submit", (event) => event.preventDefault());

  // follow does what the address says: a choice of cases, or one case.
  const decoded = (part) => { try { return decodeURIComponent(part); } catch { return part; } };
  const follow = () => {
    const parts = location.hash.slice(1).split("&").filter((part) => part.includes("=")).map((part) => {
      const equals = part.indexOf("=");
      return [part.slice(0, equals), decoded(part.slice(equals + 1))];
    });
    const only = parts.find(([key]) => key === "case");
    for (const control of form.elements) if (control.name) control.value = "";
    cell = [];
    if (only) {
      found = cases.filter((one) => one.id === only[1]);
      document.getElementById("found").textContent = found.length === 0 ? "No such case in this report" : found.length === 1 ? "One case" : `${found.length} runs of one case`;
      list.replaceChildren();
      shown = 0;
      showMore();
      if (list.firstChild) list.firstChild.open();
    } else {
      cell = parts.filter(([key]) => !form.elements[key]);
      for (const [key, value] of parts) if (form.elements[key]) form.elements[key].value = value;
      choose(parts);
    }
    if (parts.length) {
      document.getElementById("cases").scrollIntoView();
      const first = list.querySelector(".head");
      if (first) first.focus({ preventScroll: true });
    }
  };
  // An address that only names a part of the page changes no choice.
  addEventListener("hashchange", () => { if (location.hash.includes("=")) follow(); });
  follow();

  // The grid: one stop for the Tab key, the arrow keys from there; what a cell says is told above.

  const told = document.getElementById("told");
  for (const table of document.querySelectorAll("table.grid")) {
    const rows = [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("td:not(.lane)")].map((cell) => cell.querySelector("a.cell")));
    const all = rows.flat().filter(Boolean);
    all.forEach((cell, i) => { cell.tabIndex = i === 0 ? 0 : -1; cell.title = cell.getAttribute("aria-label"); });
    const where = (cell) => { const r = rows.findIndex((row) => row.includes(cell)); return [r, rows[r].indexOf(cell)]; };
    const tell = (event) => { const cell = event.target.closest("a.cell"); if (cell) told.textContent = cell.getAttribute("aria-label"); };
    table.addEventListener("mouseover", tell);
    table.addEventListener("focusin", tell);
    table.addEventListener("keydown", (event) => {
      const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      const cell = event.target.closest("a.cell");
      if (!way || !cell) return;
      event.preventDefault();
      let [r, c] = where(cell);
      for (;;) {
        r += way[0];
        c += way[1];
        if (!rows[r] || c < 0 || c >= rows[r].length) return;
        const next = rows[r][c];
        if (!next) continue;
        cell.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
        return;
      }
    });
  }
})();
