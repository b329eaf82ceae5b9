// The console's page. Data goes into the document as text nodes only, never as markup.
// Sections: texts, small tools, session, state, live updates, list, thread, composer, context, routing.
"use strict";

// --- texts -------------------------------------------------------------------------------------------------

const T = {
  offline: "Baton cannot be reached. Trying again.",
  broken: (status) => `Baton answered with an error (${status}). Try again in a moment.`,
  expired: "Your session has ended. Sign in again.",
  deadLink: "That link has expired. Ask a lead for a new one, or use the access token.",
  live: { connecting: "Connecting…", live: "Live", lost: "Reconnecting…" },
  empty: {
    waiting: "Nobody is waiting. New cases appear here by themselves.",
    active: "Nobody is being helped right now.",
    mine: "You have no case. Claim one from Waiting.",
    all: "No case yet. The first handoff appears here by itself.",
    search: "Nothing found. Try a name, an order or a case number.",
  },
  stage: { open: "With the assistant", waiting: "Waiting", active: "Active", resolved: "Resolved" },
  buttons: { claim: "Claim", release: "Release", handback: "Hand back", resolve: "Resolve" },
  titles: {
    claim: "Take this case; what you write then goes to the shopper",
    release: "Back to the queue, at its old place",
    handback: "The assistant answers the shopper again",
    resolve: "Done; the shopper can reopen it by writing",
  },
  offers: {
    claim_and_send: "Claim & send", send: "Send", send_as_me: "Send as me",
    take_over: "Take over & send", reopen_and_send: "Reopen & send",
  },
  receipts: {
    pending: "⏳ Not with the shopper yet", delivered: "✅ Delivered", seen: "👀 Seen", mailed: "📧 Sent by email",
    failed: "⚠️ Not delivered", inside: "🔒 Inside",
  },
  placeholder: "Write to the shopper…",
  hint: "Enter sends · Shift+Enter new line · note: or // keeps it inside",
  hintTouch: "note: or // keeps it inside",
  hintInside: "🔒 Stays inside: only your team sees this",
  send: "Send",
  keep: "Keep inside",
  gate: {
    button: "Claim to reply",
    claim: "Nobody has this yet. Claim it to reply.",
    reopen: "This is resolved. Claim it to reply.",
    assistant: "The assistant is answering. Claim to step in.",
    other: (owner) => `${owner} is answering. You can add a note for the team.`,
  },
  takeOver: "Take over",
  takeOverAsk: (owner) => `Take this over from ${owner}?`,
  takeOverWhy: "You become the owner, and the shopper hears from you from now on.",
  note: "Write a note",
  sending: "Sending…",
  held: "⏳ Leaves in a moment",
  takeBack: "Take back",
  notSent: (why) => `⚠️ Not sent. ${why}`,
  retry: "Retry",
  discard: "Discard",
  removed: "Message removed",
  sent: "sent to the shopper",
  inside: (name) => `🔒 inside · ${name}`,
  told: "Told the shopper: ",
  typing: (name) => `${name} is typing…`,
  fault: (reason) => `The team's thread cannot be reached (${reason}). Baton keeps trying; nothing is lost.`,
  speakers: { shopper: "Shopper", assistant: "Assistant", operator: "Operator", baton: "Baton" },
  newCase: (row) => `New case #${row.number}: ${row.customer}, ${row.title}`,
  today: "Today",
  yesterday: "Yesterday",
};

const REASONS = {
  explicit_request: "Asked for a person", button: "Pressed “Talk to a person”", keyword: "Keyword",
  claim: "An operator stepped in", reopened: "Wrote again after it was resolved", api: "The store's assistant asked",
};

const FAILURES = { dead: "Refused again", trying: "Trying again to deliver it", delivered: "Delivered after all", dropped: "Taken back meanwhile: nothing left to deliver" };

function eventText(entry) {
  const who = entry.name || T.speakers[entry.author] || "Baton";
  const data = entry.data || {};
  switch (entry.kind) {
    case "escalated": {
      const trigger = REASONS[data.trigger] || words(data.trigger);
      const detail = data.evidence ? ` (“${data.evidence}”)` : data.rule ? ` (${data.rule})` : "";
      return [[data.again ? "Another reason to help" : "A person is needed"], trigger ? `: ${trigger}${detail}` : ""];
    }
    case "claimed": return [[who], " claimed this"];
    case "assigned": return data.by ? [[data.by], " gave this to ", [who]] : [[who], " took this over"];
    case "released": return [[who], " released this; it is waiting again"];
    case "handed_back": return [[who], " handed the shopper back to the assistant"];
    case "resolved": return [[who], " resolved this"];
    case "reopened": return ["The shopper wrote again: reopened"];
    case "returned": return ["The shopper came back; the assistant answers"];
    case "outcome": return ["Outcome: ", [words(data.kind) || "recorded"], data.amount != null ? `, ${money(data.amount, data.currency)}` : ""];
    case "edited": return [[who], " edited a message"];
    case "deleted": return [[who], " removed a message"];
    case "dead_letter": return [entry.target == null ? "A message could not be delivered" : FAILURES[data.state] || FAILURES.dead];
    default: return [words(entry.kind)];
  }
}

// --- small tools -------------------------------------------------------------------------------------------

const $ = (id) => document.getElementById(id);

/** An element with properties, data-* under `data`, and children: nodes, strings, or nothing. */
function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "data") Object.assign(node.dataset, value);
    else if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

/** Make `parent` show `items` ({key, sig, make(old)}) with as few changes as can be; focus stays where it is. */
function reconcile(parent, items) {
  const old = parent.known || new Map();
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const next = new Map();
  const keys = new Set(items.map((item) => item.key));
  for (const [key, known] of old) if (!keys.has(key)) known.node.remove();
  let cursor = parent.firstChild;
  for (const item of items) {
    let known = old.get(item.key);
    if (!known || known.sig !== item.sig) {
      const node = item.make(known && known.node);
      if (known && known.node !== node) {
        if (cursor === known.node) cursor = node;
        known.node.replaceWith(node);
      }
      known = { node, sig: item.sig };
    }
    if (known.node === cursor) cursor = cursor.nextSibling;
    else parent.insertBefore(known.node, cursor);
    next.set(item.key, known);
  }
  parent.known = next;
  if (focused && focused.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

const words = (name) => {
  const text = String(name ?? "").replace(/[_-]+/g, " ").trim();
  return text && text[0].toUpperCase() + text.slice(1);
};
const nameOf = (person) => (person && typeof person === "object" ? person.name : person) || "";
const sameName = (a, b) => nameOf(a).trim().toLowerCase() === nameOf(b).trim().toLowerCase();
const now = () => Date.now() / 1000 + state.skew;

function money(amount, currency) {
  if (!currency) return String(amount);
  try {
    return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(amount);
  } catch {
    return `${amount} ${currency}`;
  }
}

function elapsed(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${String(s % 60).padStart(2, "0")}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}m`;
  return `${Math.floor(s / 86400)}d`;
}

function age(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return "now";
  if (s < 3600) return `${Math.floor(s / 60)}m`;
  if (s < 86400) return `${Math.floor(s / 3600)}h`;
  return `${Math.floor(s / 86400)}d`;
}

const clock = (at) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
const dayKey = (at) => new Date(at * 1000).toDateString();
function dayName(at) {
  if (dayKey(at) === dayKey(now())) return T.today;
  if (dayKey(at) === dayKey(now() - 86400)) return T.yesterday;
  return new Date(at * 1000).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `c-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Runs `job` now, and again at most every `gap()` ms however often it is asked for. */
function throttled(job, gap) {
  let timer = null, last = 0;
  return () => {
    if (timer) return;
    timer = setTimeout(() => { timer = null; last = Date.now(); job(); }, Math.max(0, last + gap() - Date.now()));
  };
}

function toast(message, bad = true) {
  const box = $("toasts");
  for (const other of [...box.children]) if (other.firstChild.textContent === message) other.remove();
  while (box.children.length > 2) box.firstChild.remove();
  const close = () => node.remove();
  const node = el("div", { class: bad ? "toast bad" : "toast", data: { testid: "toast" } },
    el("span", {}, message), el("button", { class: "button quiet", type: "button", "aria-label": "Close", onclick: close }, "✕"));
  box.append(node);
  setTimeout(close, 8000);
}

function ask(title, text, yes) {
  $("ask-title").textContent = title;
  $("ask-text").textContent = text;
  $("ask-yes").textContent = yes;
  $("ask").returnValue = "no";
  $("ask").showModal();
  return new Promise((done) => $("ask").addEventListener("close", () => done($("ask").returnValue === "yes"), { once: true }));
}

// The safe subset of Markdown, built as nodes: the rules of bot/markdown.py, as in the widget.

const INLINE = new RegExp([
  /\\([!-/:-@[-`{-~])/, // 1: an escaped mark
  /(`+)(?!`)(?:([^\n]{0,2000}?[^\n`])\2(?!`))?/, // 2, 3: code, or mere backticks
  /!?\[((?:\\[^\n]|[^[\]\\\n]){1,2000})\]\(((?:https?:\/\/|mailto:)(?:[^\s()<>\\]|\([^\s()<>\\]{0,500}\)){1,4000})\)/, // 4, 5: a link
  /(https?:\/\/[^\s<>[\]"|\\^`{}]{1,4000})/, // 6: a bare address
  /(\*+|_+|~+)/, // 7: marks of a style
].map((part) => part.source).join("|"), "g");

function link(href, label, text) {
  let url;
  try { url = new URL(href); } catch { return el("span", {}, label); }
  if (!["http:", "https:", "mailto:"].includes(url.protocol)) return el("span", {}, label);
  const node = el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, label);
  if (text === href || url.protocol === "mailto:") return node;
  return el("span", {}, node, el("span", { class: "muted" }, ` (${url.host})`));
}

/** Whether marks between these two characters may open a style, and close one. */
function flanks(run, before, after) {
  if (run[3] || (run[0] === "~" && run !== "~~") || (run === "*" && /^\d\d$/.test(before + after))) return [];
  const [opens, closes] = [after, before].map((side) => /\S/.test(side));
  const isWord = (side) => /[\p{L}\p{N}]/u.test(side);
  return run[0] === "_" ? [opens && !isWord(before), closes && !isWord(after)] : [opens, closes]; // snake_case
}

/** Close the styles that these marks close, and keep the others: they may open one. */
function mark(nodes, openers, run, before, after) {
  const [opens, closes] = flanks(run, before, after);
  let left = run.length;
  for (let at = openers.length - 1; closes && left && at >= 0;) {
    const opener = openers[at];
    if (opener.run[0] !== run[0] || ((opener.closes || opens) && (opener.run.length + run.length) % 3 === 0)) { at--; continue; }
    const inside = nodes.slice(opener.at + 1);
    const depth = 1 + inside.reduce((most, node) => Math.max(most, node.depth || 0), 0);
    if (depth > 6) break;
    const count = Math.min(opener.left, left, 2);
    const styled = el(run[0] === "~" ? "s" : count > 1 ? "strong" : "em", {}, inside);
    styled.depth = depth;
    openers.length = at + 1;
    left -= count;
    opener.left -= count;
    nodes.splice(opener.at, nodes.length, opener.run.slice(0, opener.left), styled);
    if (!opener.left) openers.length = at--;
  }
  if (left && opens) openers.push({ at: nodes.length, run, closes, left });
  nodes.push(run.slice(0, left));
}

function inline(text, isLabel) {
  const nodes = [], openers = [];
  let at = 0;
  for (let found; (INLINE.lastIndex = at, found = INLINE.exec(text));) {
    const [all, escaped, , code, label, href, bare, run] = found;
    nodes.push(text.slice(at, found.index));
    const whole = bare ? bare.replace(bare.includes("(") ? /[.,;:!?'*_~]+$/ : /[.,;:!?'*_~)\]]+$/, "") : all;
    at = found.index + whole.length;
    if (run) mark(nodes, openers, run, text[found.index - 1] || "", text[at] || "");
    else if (code) nodes.push(el("code", {}, /^ [^]*[^ ][^]* $/.test(code) ? code.slice(1, -1) : code));
    else if (label) nodes.push(link(href, inline(label, true), label));
    else nodes.push(bare && !isLabel ? link(whole, whole, whole) : escaped || whole);
  }
  return [...nodes, text.slice(at)];
}

const FENCE = /^ {0,3}(`{3,}(?![^]*`)|~{3,})/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^ {0,3}(?:[-*+]|(\d{1,9})([.)]))\s+(?=\S)/;
const HEADING = /^ {0,3}#{1,6}\s+(?=\S)/;
const isText = (line) => line.trim() && ![FENCE, QUOTE, ITEM, HEADING].some((pattern) => pattern.test(line));

/** The lines at the beginning that belong together, taken away. */
function take(rows, belongs) {
  const end = rows.findIndex((row) => !belongs(row));
  return rows.splice(0, end < 0 ? rows.length : end);
}

function list(rows, depth) {
  const [, start, delimiter] = ITEM.exec(rows[0]);
  const node = el(start ? "ol" : "ul", { start });
  for (let item; rows.length && (item = ITEM.exec(rows[0])) && item[2] === delimiter;) {
    const first = rows.shift().slice(item[0].length);
    const rest = take(rows, (row) => /^( {2,}|\t)\S/.test(row));
    const indent = new RegExp(`^(\t| {0,${Math.min(4, /^ */.exec(rest[0] || "")[0].length)}})`);
    node.append(el("li", {}, blocks([first, ...rest.map((row) => row.replace(indent, ""))], depth + 1)));
    if (rows[0] === "" && ITEM.test(rows[1])) rows.shift(); // items may stand apart
  }
  return node;
}

function blocks(rows, depth = 0) {
  if (depth > 5) return [el("p", {}, rows.join("\n"))];
  const out = [];
  while (rows.length) {
    const row = rows[0];
    if (isText(row)) out.push(el("p", {}, inline(take(rows, isText).join("\n"))));
    else if (ITEM.test(row)) out.push(list(rows, depth));
    else if (QUOTE.test(row)) {
      const quoted = take(rows, (next) => QUOTE.test(next)).map((next) => next.replace(QUOTE, ""));
      out.push(el("blockquote", {}, blocks(quoted, depth + 1)));
    } else {
      rows.shift();
      if (HEADING.test(row)) out.push(el("p", {}, el("strong", {}, inline(row.replace(HEADING, "")))));
      const [, fence] = FENCE.exec(row) || [];
      if (!fence) continue;
      const code = take(rows, (next) => !next.trim().startsWith(fence) || next.trim().replaceAll(fence[0], ""));
      out.push(el("pre", {}, el("code", {}, code.join("\n"))));
      rows.shift();
    }
  }
  return out;
}

const markdown = (text) => blocks(text.split(/\r\n?|\n/));

/** What shoppers type is no Markdown. */
const literal = (text) => el("p", {}, text);

// --- session -----------------------------------------------------------------------------------------------

const SESSION = "baton-console-session", LINK = "baton-console-link", DRAFTS = "baton-console-drafts";

class Problem extends Error {
  constructor(code, message, status) { super(message); this.code = code; this.status = status; }
}

const stored = (key) => { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } };
let session = stored(SESSION);

async function call(path, { method = "GET", body, token = session && session.token } = {}) {
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`console/api/${path}`, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  } catch {
    throw new Problem("offline", T.offline, 0);
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401 && session && token === session.token) showDoor(T.expired);
  const error = answer.error || {};
  throw new Problem(error.code, error.message || T.broken(response.status), response.status);
}

function showDoor(message) {
  session = null;
  sessionStorage.removeItem(SESSION);
  stopLive();
  const access = document.querySelector("meta[name=baton-access]").content;
  $("app").hidden = true;
  $("door").hidden = false;
  $("door-token-row").hidden = access === "open" || Boolean(stored(LINK));
  $("door-token").required = !$("door-token-row").hidden;
  $("door-error").textContent = message || "";
  $("door-error").hidden = !message;
  $("door-name").focus();
}

async function enter(event) {
  event.preventDefault();
  const button = event.submitter || $("door-form").querySelector("button");
  const token = $("door-token").value.trim() || stored(LINK);
  button.disabled = true;
  try {
    session = await call("session", { method: "POST", token, body: { operator: $("door-name").value } });
    sessionStorage.setItem(SESSION, JSON.stringify(session));
    $("door-token").value = "";
    start();
  } catch (problem) {
    if (problem.status === 401) {
      sessionStorage.removeItem(LINK);
      $("door-token-row").hidden = false;
    }
    $("door-error").textContent = problem.message;
    $("door-error").hidden = false;
  } finally {
    button.disabled = false;
  }
}

/** A signed link's token leaves the address bar at once. */
function takeLink() {
  const token = new URLSearchParams(location.search).get("token");
  const access = document.querySelector("meta[name=baton-access]").content;
  if (location.search) history.replaceState(null, "", location.pathname + location.hash);
  if (token && access === "link") sessionStorage.setItem(LINK, JSON.stringify(token));
  return token && access === "ask" ? T.deadLink : "";
}

// --- state -------------------------------------------------------------------------------------------------

const state = {
  rows: [], older: [], counts: {}, cursor: null, known: null, fresh: new Set(),
  tab: "waiting", q: "", skew: 0, settle: 0, listTook: 0,
  number: null, view: "list", case: null, stick: true, note: false, usedOffers: new Set(),
  drafts: stored(DRAFTS) || {}, pending: {}, busy: {}, typing: null,
};

const me = () => session.operator;
const isMine = (row) => row.stage === "active" && row.owner_id?.platform === "console" && row.owner_id.id === me().id;
const isInside = (text) => /^\s*(\/\/|notes?\s*:|internal\s*:)/i.test(text);

const SETTLE = 600; // milliseconds
const touch = matchMedia("(pointer: coarse)");
let listTicket = 0, caseTicket = 0;

async function loadList() {
  if (!session) return;
  const ticket = ++listTicket, began = Date.now();
  const query = state.q ? `?q=${encodeURIComponent(state.q)}` : "";
  try {
    const answer = await call(`conversations${query}`);
    if (ticket !== listTicket) return;
    state.listTook = Date.now() - began;
    const numbers = new Set(answer.conversations.map((row) => row.number));
    state.rows = answer.conversations;
    state.older = state.older.filter((row) => !numbers.has(row.number));
    if (!state.older.length) state.cursor = answer.cursor;
    state.counts = answer.counts;
    state.skew = answer.now - Date.now() / 1000;
    noticeNew(answer.conversations);
    renderList();
  } catch (problem) {
    if (problem.status !== 401 && problem.status !== 0) toast(problem.message);
  }
}

function noticeNew(rows) {
  if (state.q) return;
  const waiting = rows.filter((row) => row.stage === "waiting");
  if (state.known) {
    for (const row of waiting.filter((one) => !state.known.has(one.number))) {
      state.fresh.add(row.number);
      $("news").textContent = T.newCase(row);
    }
  }
  state.known = new Set(waiting.map((row) => row.number));
}

async function loadMore() {
  const query = new URLSearchParams({ cursor: state.cursor, q: state.q });
  try {
    const answer = await call(`conversations?${query}`);
    const numbers = new Set([...state.rows, ...state.older].map((row) => row.number));
    state.older.push(...answer.conversations.filter((row) => !numbers.has(row.number)));
    state.cursor = answer.cursor;
    renderList();
  } catch (problem) { toast(problem.message); }
}

async function loadCase() {
  const number = state.number;
  if (!session || !number || state.busy[number]) return;
  const ticket = ++caseTicket;
  try {
    const answer = await call(`conversations/${number}`);
    if (ticket === caseTicket && number === state.number && !state.busy[number]) showCase(answer);
  } catch (problem) {
    if (ticket !== caseTicket || number !== state.number) return;
    if (problem.status === 404) { toast(problem.message); location.hash = ""; }
    else if (problem.status !== 401 && problem.status !== 0) toast(problem.message);
  }
}

function showCase(answer) {
  announce(answer);
  state.case = answer;
  mirror(answer);
  const there = new Set(answer.entries.map((entry) => entry.id).filter(Boolean));
  state.pending[answer.number] = (state.pending[answer.number] || []).filter((one) => !there.has(one.id));
  renderCase();
}

/** The list shows the open case as the case itself does. */
function mirror(shown) {
  const rows = [state.rows, state.older].find((list) => list.some((row) => row.number === shown.number));
  if (!rows) return;
  const index = rows.findIndex((row) => row.number === shown.number);
  rows[index] = Object.fromEntries(Object.keys(rows[index]).map((key) => [key, shown[key]]));
  renderList();
}

/** Tells a screen reader what the shopper just wrote. */
function announce(answer) {
  const known = state.case && state.case.number === answer.number ? state.case.entries.at(-1) : null;
  const said = answer.entries.findLast((entry) => entry.kind === "message" && entry.author === "shopper");
  if (!known || !said || said.seq <= known.seq) return;
  $("news").textContent = `${said.name || T.speakers.shopper}: ${said.text}`;
  showTyping("");
}

const refreshList = throttled(loadList, () => Math.max(1000, 4 * state.listTook)); // a slow server is asked less often
const refreshCase = throttled(loadCase, () => 300);

/** Ask for something about the open case; what it will look like is shown at once and taken back if it is refused. */
async function act(path, body = {}, expected = null) {
  const number = state.number;
  // A message that is still on its way goes first, and the click is not lost; a second click on the same thing is.
  if (state.busy[number]) await outgoing[number];
  if (state.busy[number] || number !== state.number) return false;
  const before = state.case;
  state.busy[number] = true;
  caseTicket++;
  if (expected) { state.case = { ...before, ...expected }; mirror(state.case); }
  renderCase();
  try {
    const answer = await call(`conversations/${number}/${path}`, { method: "POST", body: { operator: me().name, ...body } });
    delete state.busy[number];
    if (number === state.number) showCase(answer);
    if (answer.result && answer.result.whisper) toast(answer.result.whisper, false);
    refreshList();
    return true;
  } catch (problem) {
    delete state.busy[number];
    if (problem.status !== 401) toast(problem.message);
    if (number === state.number) { state.case = before; mirror(before); renderCase(); refreshCase(); }
    refreshList();
    return false;
  }
}

// --- live updates ------------------------------------------------------------------------------------------

let liveAbort = null;

function showLive(kind) {
  $("live").dataset.state = kind;
  $("live").lastChild.textContent = T.live[kind];
}

function stopLive() {
  if (liveAbort) liveAbort.abort();
  liveAbort = null;
}

async function follow() {
  stopLive();
  const mine = (liveAbort = new AbortController());
  let wait = 500;
  while (session && !mine.signal.aborted) {
    try {
      await readStream(mine.signal, () => { wait = 500; showLive("live"); refreshList(); refreshCase(); });
    } catch { /* told below */ }
    if (mine.signal.aborted) return;
    showLive("lost");
    await sleep(wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, 10000);
  }
}

async function readStream(signal, opened) {
  const own = new AbortController();
  signal.addEventListener("abort", () => own.abort(), { once: true });
  const response = await fetch("console/api/stream", { headers: { Authorization: `Bearer ${session.token}` }, cache: "no-store", signal: own.signal });
  if (response.status === 401) return showDoor(T.expired);
  if (!response.ok) throw new Problem("stream", T.broken(response.status), response.status);
  opened();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const quiet = setTimeout(() => own.abort(), 45000);
    const { value, done } = await reader.read().finally(() => clearTimeout(quiet));
    if (done) return undefined;
    const frames = (rest + value).split("\n\n");
    rest = frames.pop();
    frames.forEach(heard);
  }
}

function heard(frame) {
  const field = (name) => (frame.match(new RegExp(`^${name}: (.*)$`, "m")) || [])[1];
  const event = field("event");
  if (!event) return;
  const data = JSON.parse(field("data"));
  if (event === "changed") {
    refreshList();
    if (data.numbers.includes(state.number)) refreshCase();
  } else if (event === "typing" && data.number === state.number && !(data.author === "operator" && sameName(data.name, me().name))) {
    showTyping(data.name || T.speakers[data.author]);
  }
}

function showTyping(name) {
  clearTimeout(state.typing);
  $("typing").textContent = name ? T.typing(name) : "";
  if (name) state.typing = setTimeout(() => showTyping(""), 5000);
}

// --- list --------------------------------------------------------------------------------------------------

const TABS = {
  waiting: (row) => row.stage === "waiting", active: (row) => row.stage === "active", mine: isMine, all: () => true,
};

function renderList() {
  const all = [...state.rows, ...state.older];
  const mine = all.filter(isMine).length;
  const counts = { waiting: state.counts.waiting || 0, active: state.counts.active || 0, mine };
  for (const button of document.querySelectorAll(".tabs button")) {
    const tab = button.dataset.tab;
    button.setAttribute("aria-pressed", String(tab === state.tab && !state.q));
    button.querySelector("b").textContent = counts[tab] ? String(counts[tab]) : "";
  }
  document.title = counts.waiting ? `(${counts.waiting}) Baton console` : "Baton console";
  const shown = state.q ? all : all.filter(TABS[state.tab]);
  reconcile($("queue"), shown.map((row) => ({
    key: row.number,
    sig: JSON.stringify([row, row.number === state.number, isMine(row)]),
    make: (old) => fillRow(old || el("li"), row),
  })));
  $("queue-empty").hidden = shown.length > 0;
  $("queue-empty").textContent = T.empty[state.q ? "search" : state.tab];
  $("more").hidden = !(state.cursor && (state.tab === "all" || state.q));
  tick();
}

function fillRow(item, row) {
  const button = item.firstChild || el("button", { type: "button", class: "row", onclick: () => { location.hash = button.dataset.number; } });
  const current = row.number === state.number;
  button.dataset.testid = "case-row";
  button.dataset.number = row.number;
  button.dataset.stage = row.stage;
  button.toggleAttribute("aria-current", current);
  if (current) button.setAttribute("aria-current", "true");
  if (state.fresh.delete(row.number)) {
    button.classList.add("fresh");
    button.addEventListener("animationend", () => button.classList.remove("fresh"), { once: true });
  }
  const loud = row.priority === "high" || row.priority === "urgent";
  const since = row.stage === "waiting" && row.waiting_since;
  button.replaceChildren(
    el("span", { class: "row-top" },
      row.unread && row.stage !== "resolved" && row.stage !== "open" ? el("span", { class: "dot", title: "An answer is due", role: "img", "aria-label": "An answer is due" }) : null,
      el("span", { class: "row-name" }, row.customer || "Shopper"),
      row.tier ? el("span", { class: "chip tier" }, row.tier) : null,
      el("span", { class: "row-time", data: since ? { since: row.waiting_since } : { age: row.updated_at } })),
    el("span", { class: "row-title" }, row.title || "No message yet"),
    el("span", { class: "row-foot" },
      el("span", {}, `#${row.number}`),
      loud ? el("span", { class: `chip ${row.priority}` }, words(row.priority)) : null,
      row.category ? el("span", {}, words(row.category)) : null,
      el("span", { class: "row-owner" }, rowStatus(row))));
  if (!item.firstChild) item.append(button);
  return item;
}

function rowStatus(row) {
  if (row.stage === "active") return isMine(row) ? "You" : nameOf(row.owner);
  if (row.stage === "waiting" && row.position) return `${ordinal(row.position)} in line`;
  return T.stage[row.stage];
}

function ordinal(n) {
  const rest = n % 100;
  return n + (rest > 10 && rest < 14 ? "th" : ["th", "st", "nd", "rd"][n % 10] || "th");
}

/** Once a second: what shows a time shows the right one. 90 s and 3 × 90 s are the default targets. */
function tick() {
  for (const node of document.querySelectorAll("[data-since]")) {
    const seconds = now() - Number(node.dataset.since);
    const text = (node.dataset.before || "") + elapsed(seconds);
    if (node.textContent !== text) node.textContent = text;
    node.classList.toggle("late", seconds > 90 && seconds <= 270);
    node.classList.toggle("breach", seconds > 270);
  }
  for (const node of document.querySelectorAll("[data-age]")) {
    const text = age(now() - Number(node.dataset.age));
    if (node.textContent !== text) node.textContent = text;
  }
}

function moveInList(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const rows = [...$("queue").querySelectorAll(".row")];
  const next = rows[rows.indexOf(document.activeElement) + step];
  if (next) { event.preventDefault(); next.focus(); }
}

// --- thread ------------------------------------------------------------------------------------------------

function renderCase() {
  const shown = state.case;
  $("blank").hidden = Boolean(state.number);
  $("open").hidden = !shown;
  if (!shown) { $("packet").replaceChildren(); $("packet").sig = null; return; }
  renderHead(shown);
  renderThread(shown);
  renderComposer(shown);
  renderPacket(shown);
  tick();
}

function renderHead(shown) {
  $("case-name").textContent = shown.customer || "Shopper";
  const parts = [`#${shown.number}`, words(shown.category), shown.title].filter(Boolean).join(" · ");
  const status = shown.stage === "waiting" && shown.waiting_since
    ? el("span", { data: { since: shown.waiting_since, before: "Waiting " } })
    : el("span", {}, shown.stage === "active" ? (isMine(shown) ? "You have this" : `${nameOf(shown.owner)} has this`) : T.stage[shown.stage]);
  $("case-line").replaceChildren(status, ` · ${parts}`);
  $("case-line").title = parts;
  $("fault").hidden = !shown.fault;
  $("fault").textContent = shown.fault ? T.fault(shown.fault) : "";
  const busy = Boolean(state.busy[shown.number]) || Date.now() < state.settle;
  reconcile($("case-actions"), caseActions(shown).map((action) => ({
    key: action,
    sig: `${action}${busy}`,
    make: (old) => {
      const button = old || el("button", { type: "button", class: action === "claim" ? "button primary" : "button",
        title: T.titles[action], data: { testid: action }, onclick: () => press(action) }, T.buttons[action] || T.takeOver);
      button.disabled = busy;
      return button;
    },
  })));
}

/** What the server allows, less what would only be refused for want of being the owner. */
function caseActions(shown) {
  const lead = me().role === "lead";
  const actions = (shown.actions || []).filter((action) => T.buttons[action]
    && (isMine(shown) || lead || shown.stage !== "active" || (action !== "release" && action !== "handback")));
  return lead && shown.stage === "active" && !isMine(shown) ? ["takeover", ...actions] : actions;
}

async function press(action) {
  const shown = state.case;
  if (action === "takeover") return takeOver();
  const claimed = { stage: "active", owner: me().name, waiting_since: null, position: null, actions: ["reply", "release", "handback", "resolve"] };
  const done = await act(action, {}, action === "claim" ? claimed : null);
  settle();
  if (done && action === "claim" && state.number === shown.number) $("composer").focus();
  return done;
}

/** The second half of a double click must not hit the button that came in the place of the first. */
function settle() {
  state.settle = Date.now() + SETTLE;
  renderCase();
  setTimeout(renderCase, SETTLE + 20);
}

async function takeOver() {
  const owner = nameOf(state.case.owner);
  if (await ask(T.takeOverAsk(owner), T.takeOverWhy, T.takeOver)) await act("assign", { to: me().name });
}

function renderThread(shown) {
  const list = $("thread");
  const stick = state.stick;
  const items = [];
  let day = null, before = null;
  for (const view of threadViews(shown)) {
    if (dayKey(view.at) !== day) {
      day = dayKey(view.at);
      before = null;
      const label = dayName(view.at);
      items.push({ key: `day ${day}`, sig: label, make: () => el("li", { class: "day" }, label) });
    }
    const said = view.entry && ["message", "aside"].includes(view.entry.kind);
    const follows = Boolean(said && before && before.entry.kind === view.entry.kind && before.entry.author === view.entry.author
      && before.entry.name === view.entry.name && view.at - before.at < 300);
    items.push({ key: view.key, sig: JSON.stringify([view, follows]), make: () => view.make(follows) });
    before = said ? view : null;
  }
  const grown = items.length > (list.known ? list.known.size : 0);
  reconcile(list, items);
  if (stick) list.scrollTop = list.scrollHeight;
  else if (grown) $("jump").hidden = false;
}

function threadViews(shown) {
  const entries = shown.entries;
  const sent = new Set(entries.filter((entry) => entry.kind === "message").map((entry) => (entry.data || {}).aside));
  const offered = lastOffer(entries, sent);
  const shownReceipts = new Set();
  const receipts = {};
  for (const entry of [...entries].reverse()) {
    const receipt = (shown.receipts || {})[entry.seq];
    if (!receipt || entry.deleted) continue;
    const young = PENDING_RECEIPT - (now() - entry.at);
    if (receipt === "pending" && young > 0) { setTimeout(() => state.case && renderThread(state.case), young * 1000 + 50); continue; }
    if (receipt === "failed" || receipt === "pending" || !shownReceipts.has(receipt)) receipts[entry.seq] = receipt;
    shownReceipts.add(receipt);
    if (receipt === "seen") shownReceipts.add("delivered");
  }
  const views = entries.map((entry) => {
    const receipt = receipts[entry.seq];
    // Only the owner may send their own note after all.
    const may = (offer) => offer !== "send" || isMine(shown);
    const offers = offered && offered.seq === entry.seq ? offersOf(entry).filter(may) : [];
    const marks = { receipt, offers, sent: entry.kind === "aside" && sent.has(entry.seq) };
    return { key: `e${entry.seq}`, at: entry.at, entry, marks, make: (follows) => entryNode(entry, marks, follows) };
  });
  for (const one of shown.held || []) {
    views.push({ key: `h${one.id || one.at}`, at: one.at, one: { ...one }, make: () => heldNode(one) });
  }
  for (const one of state.pending[shown.number] || []) {
    views.push({ key: `p${one.id}`, at: one.at, one: { ...one }, make: () => pendingNode(one) });
  }
  return views;
}

const offersOf = (entry) => [].concat((entry.data || {}).offer || []).map((offer) => (typeof offer === "object" ? offer.action : offer)).filter((offer) => T.offers[offer]);

/** One offer per thread, as in a chat: the newest aside's, until it is used. Older ones do not come back. */
function lastOffer(entries, sent) {
  const last = entries.findLast((entry) => entry.kind === "aside" && offersOf(entry).length);
  const isUsed = last && (last.deleted || sent.has(last.seq) || state.usedOffers.has(`${state.number}:${last.seq}`));
  return isUsed ? null : last;
}

function entryNode(entry, { receipt, offers, sent }, follows) {
  const hooks = { testid: "entry", seq: entry.seq, kind: entry.kind, author: entry.author };
  if (entry.kind !== "message" && entry.kind !== "aside") return eventNode(entry, hooks);
  const inside = entry.kind === "aside";
  const name = entry.name || (entry.author === "shopper" && state.case.customer) || T.speakers[entry.author];
  const notes = [sent && T.sent, entry.edited && !entry.deleted && "edited", entry.late && "arrived late"].filter(Boolean).join(" · ");
  const classes = ["entry", inside && "inside", follows && "follows", entry.deleted && "gone"].filter(Boolean).join(" ");
  return el("li", { class: classes, data: hooks },
    inside ? null : el("span", { class: "by" }, el("b", {}, name), entry.author === "assistant" && entry.name ? " (assistant)" : "", ` ${clock(entry.at)}`),
    el("div", { class: "bubble", title: new Date(entry.at * 1000).toLocaleString() },
      inside ? el("div", { class: "lock" }, `${T.inside(name)} · ${clock(entry.at)}`) : null,
      entry.deleted ? T.removed : entry.author === "shopper" ? literal(entry.text) : markdown(entry.text),
      (entry.files || []).map(({ url, name }) => el("div", {}, el("a", { href: url, target: "_blank", rel: "noopener noreferrer", data: { testid: "file" } }, `📎 ${name}`))),
      offers.length ? el("div", { class: "offer" }, offers.map((offer) => offerButton(entry, offer))) : null),
    notes ? el("span", { class: "after" }, notes) : null,
    receipt && T.receipts[receipt] ? el("span", { class: receipt === "failed" ? "after bad" : "after", data: { receipt } }, T.receipts[receipt]) : null);
}

function offerButton(entry, action) {
  return el("button", { type: "button", class: "button", data: { testid: "offer", action }, onclick: async () => {
    const key = `${state.number}:${entry.seq}`;
    state.usedOffers.add(key);
    if (!(await act(`asides/${entry.seq}`, { action }))) { state.usedOffers.delete(key); renderCase(); }
  } }, T.offers[action]);
}

function eventNode(entry, hooks) {
  const time = ` · ${clock(entry.at)}`;
  const title = new Date(entry.at * 1000).toLocaleString();
  if (entry.kind === "notice") return el("li", { class: "event notice", data: hooks, title }, T.told, entry.text, time);
  const bad = entry.kind === "dead_letter" && (entry.target == null || entry.data.state === "dead");
  const text = bad && entry.text ? [entry.text] : eventText(entry).map((part) => (Array.isArray(part) ? el("b", {}, part) : part));
  return el("li", { class: bad ? "event bad" : "event", data: hooks, title }, text, time);
}

/** A message that waits before it leaves; what was typed here can be taken back here. */
function heldNode(one) {
  return el("li", { class: "entry pending", data: { testid: "held", author: "operator" } },
    el("span", { class: "by" }, el("b", {}, one.name), ` ${clock(one.at)}`),
    el("div", { class: "bubble" }, markdown(one.text)),
    el("span", { class: "after" }, T.held, " ",
      one.id ? el("button", { type: "button", data: { testid: "take-back" }, onclick: () => act(`messages/${encodeURIComponent(one.id)}/withdraw`) }, T.takeBack) : null));
}

function pendingNode(one) {
  const inside = isInside(one.text);
  const failed = one.state === "failed";
  return el("li", { class: `entry pending${inside ? " inside" : ""}`, data: { testid: "pending", author: "operator" } },
    el("div", { class: "bubble" }, inside ? el("div", { class: "lock" }, T.inside(me().name)) : null, markdown(one.text)),
    el("span", { class: failed ? "after bad" : "after", role: failed ? "alert" : null },
      failed ? [`${T.notSent(one.why)} `,
        el("button", { type: "button", data: { testid: "retry" }, onclick: () => deliver(one) }, T.retry), " ",
        el("button", { type: "button", onclick: () => discard(one) }, T.discard)] : T.sending));
}

// --- composer ----------------------------------------------------------------------------------------------

function renderComposer(shown) {
  const mine = isMine(shown);
  const text = $("composer").value;
  const open = mine || state.note;
  const inside = isInside(text);
  const gate = gateText(shown);
  $("composer").disabled = !open;
  $("composer").placeholder = open ? T.placeholder : gate;
  $("compose").classList.toggle("inside", inside);
  $("composer-hint").textContent = inside ? T.hintInside : mine ? (touch.matches ? T.hintTouch : T.hint) : text || open ? gate : "";
  $("send").textContent = inside ? T.keep : T.send;
  $("send").disabled = !open || !text.trim() || (!mine && !inside);
  $("send").hidden = !open;
  renderGate(shown, open);
}

function gateText(shown) {
  if (shown.stage === "active") return T.gate.other(nameOf(shown.owner) || "Somebody");
  return { resolved: T.gate.reopen, open: T.gate.assistant }[shown.stage] || T.gate.claim;
}

/** What one who does not own the case can do instead of replying. */
function renderGate(shown, open) {
  const buttons = open ? [] : [["note", T.note, "button quiet", writeNote]];
  if (shown.stage !== "active" && (shown.actions || []).includes("claim")) buttons.push(["claim-to-reply", T.gate.button, "button primary", () => press("claim")]);
  const busy = Boolean(state.busy[shown.number]);
  reconcile($("gate"), buttons.map(([key, label, style, onclick]) => ({
    key, sig: `${label}${busy}`, make: () => el("button", { type: "button", class: style, disabled: busy, data: { testid: key }, onclick }, label),
  })));
}

function writeNote() {
  state.note = true;
  const box = $("composer");
  if (!isInside(box.value)) box.value = `note: ${box.value}`;
  typed();
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}

function typed() {
  const box = $("composer");
  if (box.value) state.drafts[state.number] = box.value;
  else delete state.drafts[state.number];
  sessionStorage.setItem(DRAFTS, JSON.stringify(state.drafts));
  fit();
  if (state.case) renderComposer(state.case);
}

function fit() {
  const box = $("composer");
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + 2}px`;
}

function use(text) {
  const box = $("composer");
  box.value = box.value.trim() ? `${box.value.trimEnd()}\n${text}` : text;
  if (state.view === "details") location.hash = `${state.number}`;
  typed();
  if (!box.disabled) box.focus();
  else toast(gateText(state.case), false);
}

function submit(event) {
  event.preventDefault();
  const box = $("composer");
  const text = box.value.trim();
  if ($("send").disabled || !text) return;
  const one = { id: newId(), number: state.number, text, at: now(), state: "sending", why: "" };
  (state.pending[one.number] ||= []).push(one);
  box.value = "";
  state.note = false;
  state.stick = true;
  typed();
  renderCase();
  box.focus();
  deliver(one);
}

const outgoing = {};
const PENDING_RECEIPT = 3; // seconds: what arrives sooner needs no hourglass

/** Messages of a case go one after the other; a repeat carries the same id, so it counts once. */
function deliver(one) {
  one.state = "sending";
  if (one.number === state.number) renderThread(state.case);
  outgoing[one.number] = (outgoing[one.number] || Promise.resolve()).then(() => attempt(one));
}

async function attempt(one) {
  for (let tries = 0; ; tries++) {
    caseTicket++;
    state.busy[one.number] = true;
    try {
      const answer = await call(`conversations/${one.number}/messages`, { method: "POST", body: { operator: me().name, text: one.text, id: one.id } });
      delete state.busy[one.number];
      discard(one, false);
      if (one.number === state.number) showCase(answer);
      return;
    } catch (problem) {
      delete state.busy[one.number];
      if ((problem.status === 0 || problem.status >= 500) && tries < 3 && session) { await sleep(800 * 2 ** tries); continue; }
      one.state = "failed";
      one.why = problem.message;
      if (one.number === state.number && state.case) { renderThread(state.case); refreshCase(); }
      return;
    }
  }
}

function discard(one, render = true) {
  state.pending[one.number] = (state.pending[one.number] || []).filter((other) => other.id !== one.id);
  if (render) renderCase();
}

// --- context -----------------------------------------------------------------------------------------------

function renderPacket(shown) {
  const sig = JSON.stringify([shown.number, shown.packet, shown.links, shown.shopper_here, shown.customer, shown.store, shown.team]);
  if ($("packet").sig === sig) return;
  $("packet").sig = sig;
  $("packet").replaceChildren(...packetBlocks(shown, shown.packet || {}).filter(Boolean));
}

const block = (title, ...content) => (content.flat().some(Boolean) ? el("section", { class: "block" }, title ? el("h3", {}, title) : null, ...content) : null);
const facts = (pairs) => {
  const given = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? el("dl", { class: "facts" }, given.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, typeof value === "object" ? value : String(value))])) : null;
};
const ticks = (items) => (items && items.length ? el("ul", { class: "ticks" }, items.map((item) => el("li", {}, plain(item)))) : null);
const plain = (value) => (value !== null && typeof value === "object" ? Object.entries(value).map(([key, one]) => `${words(key)} ${plain(one)}`).join(", ") : String(value));

function packetBlocks(shown, packet) {
  const customer = packet.customer || {}, reason = packet.reason || {}, mood = packet.sentiment || {};
  const trigger = REASONS[reason.trigger] || words(reason.trigger);
  return [
    el("section", { class: "block" },
      el("div", { class: "who" }, el("span", { class: "name" }, customer.name || shown.customer || "Shopper"),
        customer.tier || shown.tier ? el("span", { class: "chip tier" }, customer.tier || shown.tier) : null,
        el("span", { class: shown.shopper_here ? "here yes" : "here" }, el("i", { "aria-hidden": "true" }), shown.shopper_here ? "On the page" : "Not on the page")),
      facts([["Email", customer.email], ["Orders", customer.orders_count],
        ["Spent", customer.lifetime_value == null ? null : money(customer.lifetime_value, customer.currency)],
        ["Language", customer.locale], ["Reached by", (packet.reachable || []).map(words).join(", ")], ["Store", shown.store]])),
    block("Issue", packet.issue ? el("p", { class: "strong" }, packet.issue) : null, packet.wants ? el("p", { class: "muted" }, `Wants: ${words(packet.wants)}`) : null),
    block("Why a person", trigger ? el("p", {}, trigger, reason.rule && reason.rule !== reason.trigger ? ` · ${reason.rule}` : "") : null, reason.evidence ? el("p", { class: "quote" }, reason.evidence) : null),
    block("Suggested", packet.suggested_action ? el("p", {}, packet.suggested_action) : null, packet.suggested_reply ? el("p", { class: "suggest" }, packet.suggested_reply) : null,
      packet.suggested_reply ? el("button", { type: "button", class: "button", data: { testid: "use" }, onclick: () => use(packet.suggested_reply) }, "Use") : null),
    block("Known", facts(Object.entries(packet.collected || {}).map(([key, value]) => [words(key), [].concat(value).map(plain).join(", ")]))),
    block("The assistant tried", ticks(packet.tried)),
    block(mood.label ? "Mood" : "Said last", mood.label ? el("p", {}, words(mood.label)) : null,
      mood.quote && mood.quote !== reason.evidence ? el("p", { class: "quote" }, mood.quote) : null),
    block("Orders", ticks((packet.orders || []).map((order) => orderLine(order, customer.currency)))),
    cartBlock(packet.cart || {}, customer.currency),
    block("Page", packet.page ? el("p", {}, link(String(packet.page), String(packet.page))) : null),
    block("Earlier cases", earlier(packet.earlier)),
    block("Threads", (shown.links || []).filter((one) => one.platform !== "console").map((one) => el("p", {}, link(one.permalink, words(one.platform))))),
  ];
}

function orderLine(order, currency) {
  if (order === null || typeof order !== "object") return order;
  const { id, status, total, ...rest } = order;
  const more = Object.keys(rest).length ? plain(rest) : null;
  return [id && `#${String(id).replace(/^#/, "")}`, words(status), total != null && money(total, order.currency || currency), more].filter(Boolean).join(" · ");
}

function cartBlock(cart, currency) {
  const items = cart.items || [];
  if (!items.length && !cart.value) return null;
  const names = items.map((item) => (item && typeof item === "object"
    ? [item.quantity > 1 && `${item.quantity} ×`, item.name || item.title || plain(item)].filter(Boolean).join(" ") : item));
  return block("Cart", cart.value ? el("p", {}, money(cart.value, cart.currency || currency)) : null, ticks(names));
}

function earlier(cases) {
  return (cases || []).map((one) => el("p", {}, el("a", { href: `#${Number(one.number)}` }, `#${one.number}`), ` ${one.issue || ""}`,
    el("span", { class: "muted" }, [one.outcome && ` · ${words(one.outcome)}`, one.rating && ` · ${one.rating}★`].filter(Boolean).join(""))));
}

// --- routing and start -------------------------------------------------------------------------------------

/** The address says what is open: #1042 a case, #1042/details its context. */
function route() {
  const [, number, details] = location.hash.match(/^#(\d{1,15})(\/details)?$/) || [];
  const before = state.number;
  state.number = number ? Number(number) : null;
  state.view = number ? (details ? "details" : "case") : "list";
  document.body.dataset.view = state.view;
  if (state.number === before) return;
  state.case = null;
  state.note = isInside(state.drafts[state.number] || "");
  state.stick = true;
  $("jump").hidden = true;
  showTyping("");
  $("thread").known = null;
  $("thread").replaceChildren();
  $("composer").value = state.drafts[state.number] || "";
  renderCase();
  renderList();
  caseTicket++;
  loadCase().then(() => {
    fit();
    if (state.case && document.activeElement === document.body && state.view === "case") $("case-name").focus({ preventScroll: true });
  });
}

function keys(event) {
  if (event.defaultPrevented || $("ask").open || !session) return;
  const writing = /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName);
  if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); $("search").focus(); }
  else if (event.key === "Escape" && state.view === "details") location.hash = `${state.number}`;
  else if (event.key === "Escape" && document.activeElement === $("search")) $("search").blur();
}

function wire() {
  $("door-form").addEventListener("submit", enter);
  $("leave").addEventListener("click", () => { sessionStorage.removeItem(LINK); showDoor(); });
  for (const button of document.querySelectorAll(".tabs button")) {
    button.addEventListener("click", () => {
      state.tab = button.dataset.tab;
      if (state.q) { state.q = $("search").value = ""; loadList(); }
      renderList();
    });
  }
  let searching = null;
  $("search").addEventListener("input", () => {
    clearTimeout(searching);
    searching = setTimeout(() => { state.q = $("search").value.trim(); state.older = []; loadList(); }, 180);
  });
  $("more").addEventListener("click", loadMore);
  $("queue").addEventListener("keydown", moveInList);
  $("to-list").addEventListener("click", () => { location.hash = ""; });
  $("to-details").addEventListener("click", () => { location.hash = state.view === "details" ? `${state.number}` : `${state.number}/details`; });
  $("to-case").addEventListener("click", () => { location.hash = `${state.number}`; });
  const thread = $("thread");
  thread.addEventListener("scroll", () => {
    state.stick = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
    if (state.stick) $("jump").hidden = true;
  }, { passive: true });
  $("jump").addEventListener("click", () => { state.stick = true; thread.scrollTop = thread.scrollHeight; $("jump").hidden = true; });
  new ResizeObserver(() => { if (state.stick) thread.scrollTop = thread.scrollHeight; }).observe(thread);
  $("compose").addEventListener("submit", submit);
  $("composer").addEventListener("input", typed);
  $("composer").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(event); }
  });
  window.addEventListener("hashchange", route);
  window.addEventListener("beforeunload", (event) => {
    if (session && Object.values(state.pending).some((list) => list.length)) event.preventDefault();
  });
  window.addEventListener("keydown", keys);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && session) { refreshList(); refreshCase(); } });
  setInterval(tick, 1000);
  setInterval(() => { if (session && !document.hidden) { refreshList(); refreshCase(); } }, 20000);
}

function start() {
  $("door").hidden = true;
  $("app").hidden = false;
  $("me").textContent = me().name;
  state.number = null;
  state.known = null;
  loadList();
  route();
  follow();
}

wire();
const hint = takeLink();
if (session && session.token && session.operator) start();
else showDoor(hint);
