/**
 * Baton's chat widget: the shopper's side of one conversation, whoever answers it.
 *
 * The server's log is the truth. The widget streams it from the last position it has, and repeats what the shopper
 * wrote, under one id, until the server has it: nothing is lost, nothing is shown twice.
 * It runs on other people's pages: in a shadow root, with no request but to the API, and never parsing a text as HTML.
 */
(() => {
  "use strict";
  if (window.Baton) return; // the tag stands twice on the page

  const script = document.currentScript || document.querySelector('script[data-store][src*="widget.js"]');
  const { store = "", token: fixedToken, tokenUrl } = script.dataset;
  const api = new URL("widget/v1/", script.src).href;

  const SECOND = 1000;
  const TEXT_LIMIT = 4000; // characters of one message, as the server counts them
  const SILENCE = 40 * SECOND; // a stream this quiet is dead: the server pings every 15 s
  const REPORT_EVERY = 20 * SECOND; // the server takes a tab for gone after 45 s

  /** Every sentence a shopper reads. {words in braces} are filled in. */
  const TEXT = {
    title: "Chat with us",
    open: "Open chat",
    openUnread: "Open chat, {count} unread",
    close: "Close chat",
    messages: "Messages",
    greeting: "Hi, how can we help?",
    greetingMore: "Our AI assistant answers right away. You can ask for a person at any time.",
    shopper: "You",
    assistant: "Assistant",
    assistantBadge: "AI assistant",
    assistantStatus: "AI assistant",
    operator: "Support team",
    operatorBadge: "Support team",
    operatorStatus: "A person from our team",
    nobodyStatus: "Leave us a message",
    finding: "Finding a person…",
    findingStatus: "You can keep writing meanwhile",
    next: "You are next",
    position: "You are number {position}",
    soon: "less than a minute",
    minutes: "about {minutes} min",
    resolvedStatus: "Closed. Write any time to continue",
    connecting: "Connecting…",
    reconnecting: "Reconnecting…",
    ended: "This chat session has ended. Please reload the page.",
    unavailable: "Chat is not available right now.",
    talkToPerson: "Talk to a person",
    continueWithAssistant: "Continue with the assistant",
    actionFailed: "That did not work. Please try again.",
    placeholder: "Write a message…",
    send: "Send",
    attach: "Attach a file",
    attaching: "Sending {name}…",
    tooLong: "{count} of {limit} characters. Please shorten your message.",
    newMessages: "New messages",
    typing: "{name} is typing…",
    pending: "Sending…",
    sent: "Sent",
    failed: "Not sent",
    tryAgain: "Try again",
    edited: "edited",
    removed: "Message removed",
  };

  /** Strokes on a 24 × 24 grid. */
  const ICONS = {
    nobody: "M21 12a8 8 0 0 1-8 8H4l1.8-3.2A8 8 0 1 1 21 12z",
    operator: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c1.2-3.4 4.2-5 8-5s6.8 1.6 8 5",
    assistant: "M12 3l2.2 6.3L20 12l-5.8 2.7L12 21l-2.2-6.3L4 12l5.8-2.7z",
    down: "M6 9l6 6 6-6",
    close: "M6 6l12 12M18 6L6 18",
    send: "M12 19V5M6 11l6-6 6 6",
    clip: "M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.5 3.5 0 0 1 5 5l-8.5 8.5a2 2 0 0 1-3-3L14 7",
  };

  /** A store sets the variables in its own style sheet: `baton-widget { --baton-accent: #0a7 }` */
  const STYLE = `
    :host {
      --baton-accent: #4150d8;
      --baton-on-accent: #fff;
      --baton-tint: #e9ebfd;
      --baton-surface: #fff;
      --baton-ground: #f6f7f9;
      --baton-text: #1c2130;
      --baton-quiet: #5d6475;
      --baton-line: #e2e5eb;
      --baton-danger: #b3261e;
      --baton-radius: 18px;
      --baton-edge: 20px;
      --baton-font: system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif;
    }
    /* Not on the host, where the page's own rules would win. */
    .root { all: initial; color: var(--baton-text); font: 15px/1.45 var(--baton-font); overflow-wrap: anywhere; }
    *, ::before { box-sizing: border-box; }
    [hidden] { display: none !important; }
    button, textarea { margin: 0; padding: 0; border: 0; background: none; color: inherit; font: inherit; }
    button { display: flex; align-items: center; justify-content: center; gap: 7px; flex: none; cursor: pointer; }
    :disabled { cursor: default; }
    :focus-visible { outline: 2px solid var(--baton-accent); outline-offset: 2px; }
    svg { width: 20px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    .sr { position: absolute; clip-path: inset(50%); }
    .launcher, .panel { position: fixed; z-index: 2147483000; right: calc(var(--baton-edge) + env(safe-area-inset-right)); }
    .launcher { bottom: calc(var(--baton-edge) + env(safe-area-inset-bottom)); width: 56px; height: 56px; border-radius: 50%;
      background: var(--baton-accent); color: var(--baton-on-accent); box-shadow: 0 8px 24px #10182840; }
    .launcher svg { width: 26px; }
    .launcher[aria-expanded=false] .down, .launcher[aria-expanded=true] .nobody { display: none; }
    .unread { position: absolute; top: -4px; right: -4px; min-width: 24px; padding: 0 6px; border: 2px solid var(--baton-surface);
      border-radius: 12px; background: var(--baton-danger); color: #fff; font-size: 12px; font-weight: 700; line-height: 20px; }
    .panel { bottom: calc(var(--baton-edge) + 68px + env(safe-area-inset-bottom)); width: 380px; height: 620px;
      max-height: calc(100vh - var(--baton-edge) - 84px); display: flex; flex-direction: column; overflow: hidden;
      border-radius: var(--baton-radius); background: var(--baton-surface); outline: 0;
      box-shadow: 0 0 0 1px #1018280f, 0 24px 64px #10182840; animation: appear .2s; }
    @keyframes appear { from { opacity: 0; transform: translateY(8px); } }

    .header { display: flex; align-items: center; gap: 12px; padding: 14px 16px; border-bottom: 1px solid var(--baton-line); }
    .who { flex: 1; }
    .title { font-size: 16px; font-weight: 650; line-height: 1.3; }
    .status, .hint, .notice, .by, .typing { font-size: 13px; }
    .status, .notice, .typing, .foot, .greeting, .close { color: var(--baton-quiet); }
    .close { width: 36px; height: 36px; }
    .avatar { display: grid; place-items: center; width: 22px; height: 22px; border-radius: 50%; background: var(--baton-line); font-size: 11px; font-weight: 700; }
    .avatar svg { width: 60%; }
    .avatar.operator { background: var(--baton-accent); color: var(--baton-on-accent); }
    .header .avatar { width: 40px; height: 40px; font-size: 17px; }

    .body { position: relative; flex: 1; min-height: 0; }
    .log { height: 100%; padding: 16px; overflow-y: auto; overscroll-behavior: contain; background: var(--baton-ground); outline-offset: -2px; }
    .greeting { padding: 32px 12px; text-align: center; }
    .greeting b { display: block; color: var(--baton-text); font-size: 18px; }
    .item { display: flex; flex-direction: column; align-items: flex-start; margin-top: 14px; }
    .joined { margin-top: 3px; }
    .item.shopper { align-items: flex-end; }
    .live .item { animation: appear .2s; }
    [data-day]::before { content: attr(data-day); align-self: center; margin-bottom: 12px; color: var(--baton-quiet); font-size: 12px; font-weight: 600; }
    .notice { padding: 0 16px; align-items: center; text-align: center; }
    .by { display: flex; align-items: center; gap: 6px; margin-bottom: 5px; font-weight: 600; }
    .badge { padding: 1px 7px; border-radius: 9px; background: var(--baton-tint); color: var(--baton-accent); font-size: 11px; }
    .joined .by, .continued time, .continued time + *::before, .receipt:not(.latest *) { display: none; }
    .bubble { max-width: 86%; padding: 9px 13px; border: 1px solid var(--baton-line); border-radius: 4px 16px 16px; background: var(--baton-surface); }
    .operator .bubble { border-color: transparent; background: var(--baton-tint); }
    .shopper .bubble { border-color: transparent; border-radius: 16px 16px 4px; background: var(--baton-accent); color: var(--baton-on-accent); }
    [data-state=pending] .bubble { opacity: .75; }
    .item[data-state=failed] .bubble { border-color: var(--baton-danger); background: none; color: inherit; }
    .item.removed .bubble { border: 1px dashed; background: none; color: var(--baton-quiet); font-style: italic; }
    .foot { display: flex; gap: 5px; padding: 2px 3px 0; font-size: 12px; }
    .foot > * + ::before { content: "· "; }
    [data-state=failed] .foot { color: var(--baton-danger); }
    .foot .again::before { content: none; }
    .again { text-decoration: underline; font-weight: 650; }

    p, ul, ol, pre, blockquote { margin: 8px 0; }
    :is(.bubble, li) > :first-child { margin-top: 0; }
    :is(.bubble, li) > :last-child { margin-bottom: 0; }
    p { white-space: pre-wrap; }
    li > * { margin: 2px 0; }
    ul, ol { padding-left: 22px; }
    blockquote { padding-left: 10px; border-left: 3px solid; }
    code, pre { border-radius: 5px; background: #8882; font: 13px ui-monospace, Menlo, Consolas, monospace; }
    code { padding: 1px 4px; }
    pre { padding: 6px; overflow-x: auto; overflow-wrap: normal; }
    pre code { background: none; }
    a { color: var(--baton-accent); }
    .shopper a { color: inherit; }

    .typing { display: flex; align-items: center; gap: 3px; margin-top: 14px; }
    .typing i { width: 6px; height: 6px; border-radius: 50%; background: currentColor; animation: dot 1.2s infinite; }
    .typing i + i { animation-delay: .15s; }
    .typing i + i + i { animation-delay: .3s; margin-right: 5px; }
    @keyframes dot { 50% { opacity: .3; } }
    .pill { position: absolute; bottom: 12px; left: 50%; transform: translateX(-50%); padding: 7px 14px; border-radius: 18px;
      background: var(--baton-text); color: var(--baton-surface); font-size: 13px; font-weight: 600; }
    .pill svg { width: 16px; }

    .dock { padding: 10px 12px calc(12px + env(safe-area-inset-bottom)); border-top: 1px solid var(--baton-line); }
    .hint { margin: 0; padding: 8px 16px; color: var(--baton-danger); }
    .action { min-height: 34px; margin-bottom: 10px; padding: 0 13px; border: 1px solid var(--baton-line); border-radius: 17px;
      color: var(--baton-accent); font-size: 14px; font-weight: 600; }
    .action:hover { background: var(--baton-tint); }
    .action:disabled { opacity: .6; }
    .action svg { width: 17px; }
    .composer { display: flex; align-items: flex-end; padding: 4px; border: 1px solid var(--baton-quiet); border-radius: 24px; }
    .composer:focus-within { border-color: var(--baton-accent); box-shadow: 0 0 0 1px var(--baton-accent); }
    textarea.input { flex: 1; min-width: 0; max-height: 140px; padding: 8px 8px 8px 12px; outline: 0; resize: none; line-height: 22px; }
    ::placeholder { color: var(--baton-quiet); opacity: 1; }
    .file { display: block; }
    .file img { display: block; max-width: 100%; max-height: 240px; border-radius: 8px; }
    .attach { width: 38px; height: 38px; color: var(--baton-quiet); }
    .send { width: 38px; height: 38px; border-radius: 50%; background: var(--baton-accent); color: var(--baton-on-accent); }
    .send:disabled { background: var(--baton-line); color: var(--baton-quiet); }

    @media (max-width: 479px), (max-height: 479px) {
      .panel { inset: var(--viewport-top, 0) 0 auto; width: auto; height: var(--viewport-height, 100vh); max-height: none;
        padding-top: env(safe-area-inset-top); border-radius: 0; }
      .launcher[aria-expanded=true] { display: none; }
      textarea.input { font-size: 16px; } /* iOS zooms into anything smaller */
    }
    @media (prefers-reduced-motion: reduce) { * { animation: none !important; } }
    @media print { .root { display: none; } }
  `;

  // ---- Small tools

  const fill = (text, values) => text.replace(/{(\w+)}/g, (_, name) => values[name]);
  const sleep = (duration) => new Promise((resolve) => setTimeout(resolve, duration));
  const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, 0)).join("");

  /** `h("tag.class#testid", attributes, …children)`; a null attribute is left out. */
  function h(what, attributes, ...children) {
    const [, tag, classes, testid] = /^([\w-]+)([^#]*)#?(.*)$/.exec(what);
    const node = document.createElement(tag);
    if (classes) node.className = classes.replace(/\./g, " ").trim();
    if (testid) node.dataset.testid = testid;
    for (const [name, value] of Object.entries(attributes || {})) {
      if (typeof value === "function") node[name] = value;
      else if (value != null) node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }

  function icon(name) {
    const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", name === "send" || name === "close" ? "" : name);
    svg.setAttribute("aria-hidden", true);
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  }

  /** 0.5 s, 1 s, 2 s … 15 s, with jitter: a restarted server is not met by every shopper at once. */
  const backoff = (attempt) => Math.min(15, 0.5 * 2 ** attempt) * SECOND * (0.6 + 0.4 * Math.random());

  /** Milliseconds the server asks us to stay away (it gives seconds or a date); 0 if it does not ask. */
  function retryAfter(response) {
    const value = response.headers.get("Retry-After");
    return Math.min(Math.max(value * SECOND || Date.parse(value) - Date.now() || 0, 0), 300 * SECOND);
  }

  const isTemporary = ({ status }) => status >= 500 || [401, 408, 429].includes(status);

  /** A sleep that can be cut short. */
  class Nap {
    wake() {}
    sleep(duration) {
      return Promise.race([sleep(duration), new Promise((resolve) => (this.wake = resolve))]);
    }
  }

  /** Many calls within `delay` become one. */
  function soon(work, delay) {
    let timer;
    return () => (timer = timer || setTimeout(() => ((timer = 0), work()), delay));
  }

  // ---- Markdown, built as nodes: the rules of bot/markdown.py. Quantifiers are bounded: a text made to be
  // slow must not freeze the page.

  const INLINE = [
    /\\([!-/:-@[-`{-~])/, // 1: an escaped mark
    /(`+)(?!`)(?:([^\n]{0,2000}?[^\n`])\2(?!`))?/, // 2, 3: code, or mere backticks
    /!?\[((?:\\[^\n]|[^[\]\\\n]){1,2000})\]\(((?:https?:\/\/|mailto:)(?:[^\s()<>\\]|\([^\s()<>\\]{0,500}\)){1,4000})\)/, // 4, 5: [label](address)
    /(https?:\/\/[^\s<>[\]"|\\^`{}]{1,4000})/, // 6: a bare address
    /(\*+|_+|~+)/, // 7: marks of a style
  ];
  const INLINE_SOURCE = INLINE.map((part) => part.source).join("|");

  function link(address, ...content) {
    try {
      const { href } = new URL(address);
      return h("a", { href, title: href, target: "_blank", rel: "noopener noreferrer" }, ...content);
    } catch (error) {
      return h("span", null, ...content); // no address after all
    }
  }

  /** Whether marks between these two characters may open a style, and close one. */
  function flanks(run, before, after) {
    if (run[3] || (run[0] === "~" && run !== "~~") || (run === "*" && /^\d\d$/.test(before + after))) return [];
    const marks = [after, before].map((side) => /\S/.test(side));
    const isWord = (side) => /[\p{L}\p{N}]/u.test(side);
    return run[0] === "_" ? [marks[0] && !isWord(before), marks[1] && !isWord(after)] : marks; // snake_case
  }

  /** Close the styles that these marks close, and keep the others: they may open one. */
  function mark(nodes, openers, run, before, after) {
    const [opens, closes] = flanks(run, before, after);
    const { length } = run;
    let left = length;
    for (let at = openers.length - 1; closes && left && at >= 0; ) {
      const opener = openers[at];
      if (opener.run[0] !== run[0] || ((opener.closes || opens) && (opener.run.length + length) % 3 === 0)) at--;
      else {
        const inside = nodes.slice(opener.at + 1);
        const depth = 1 + inside.reduce((most, node) => Math.max(most, node.depth || 0), 0);
        if (depth > 6) break;
        const count = Math.min(opener.left, left, 2);
        const styled = h(run[0] === "~" ? "s" : count > 1 ? "strong" : "em", null, ...inside);
        styled.depth = depth;
        openers.length = at + 1;
        left -= count;
        opener.left -= count;
        nodes.splice(opener.at, nodes.length, opener.run.slice(0, opener.left), styled);
        if (!opener.left) openers.length = at--;
      }
    }
    if (left && opens) openers.push({ at: nodes.length, run, closes, left });
    nodes.push(run.slice(0, left));
  }

  function inline(text, isLabel) {
    const pattern = new RegExp(INLINE_SOURCE, "g");
    const nodes = [];
    const openers = [];
    let at = 0;
    for (let match; (match = pattern.exec(text)); pattern.lastIndex = at) {
      let [whole, escaped, , code, label, address, bare, run] = match;
      nodes.push(text.slice(at, match.index));
      if (bare) whole = bare.replace(bare.includes("(") ? /[.,;:!?'*_~]+$/ : /[.,;:!?'*_~)\]]+$/, "");
      at = match.index + whole.length;
      if (run) mark(nodes, openers, run, text[match.index - 1] || "", text[at] || "");
      else if (code) nodes.push(h("code", null, /^ [^]*[^ ][^]* $/.test(code) ? code.slice(1, -1) : code));
      else if (label) nodes.push(link(address, ...inline(label, true)));
      else nodes.push(bare && !isLabel ? link(whole, whole) : escaped || whole);
    }
    return [...nodes, text.slice(at)];
  }

  const FENCE = /^ {0,3}(`{3,}(?![^]*`)|~{3,})/;
  const QUOTE = /^ {0,3}> ?/;
  const ITEM = /^ {0,3}(?:[-*+]|(\d{1,9})([.)]))\s+(?=\S)/;
  const HEADING = /^ {0,3}#{1,6}\s+(?=\S)/;
  const isText = (line) => line.trim() && ![FENCE, QUOTE, ITEM, HEADING].some((pattern) => pattern.test(line));

  function blocks(lines, depth = 0) {
    if (depth > 5) return [h("p", null, lines.join("\n"))];
    const nodes = [];
    const take = (belongs) => {
      const end = lines.findIndex((line) => !belongs(line));
      return lines.splice(0, end < 0 ? lines.length : end);
    };

    function list() {
      const [, start, mark] = ITEM.exec(lines[0]);
      const node = h(start ? "ol" : "ul", { start });
      for (let item; (item = ITEM.exec(lines[0])) && item[2] === mark; ) {
        const first = lines.shift().slice(item[0].length);
        const rest = take((line) => /^( {2,}|\t)\S/.test(line));
        const indent = new RegExp(`^(\t| {0,${Math.min(4, /^ */.exec(rest[0])[0].length)}})`);
        node.append(h("li", null, ...blocks([first, ...rest.map((line) => line.replace(indent, ""))], depth + 1)));
        if (lines[0] === "" && ITEM.test(lines[1])) lines.shift(); // items may stand apart
      }
      return node;
    }

    while (lines.length) {
      const [line] = lines;
      if (isText(line)) nodes.push(h("p", null, ...inline(take(isText).join("\n"))));
      else if (ITEM.test(line)) nodes.push(list());
      else if (QUOTE.test(line)) {
        const quoted = take((next) => QUOTE.test(next)).map((next) => next.replace(QUOTE, ""));
        nodes.push(h("blockquote", null, ...blocks(quoted, depth + 1)));
      } else {
        lines.shift();
        if (HEADING.test(line)) nodes.push(h("p", null, h("strong", null, ...inline(line.replace(HEADING, "")))));
        const [, fence] = FENCE.exec(line) || [];
        if (!fence) continue;
        const code = take((next) => !next.trim().startsWith(fence) || next.trim().replaceAll(fence[0], "")).join("\n");
        nodes.push(h("pre", { tabindex: 0 }, h("code", null, code)));
        lines.shift();
      }
    }
    return nodes;
  }

  const markdown = (text) => blocks(text.split(/\r\n?|\n/));

  // ---- The wire

  /** One JSON object in the browser's storage, or in memory where the browser refuses to keep anything. */
  class Vault {
    constructor(area) {
      this.area = area; // the name: merely touching window.localStorage can throw
      this.key = `baton:${store}`;
    }
    read() {
      if (this.memory) return this.memory;
      try {
        return JSON.parse(window[this.area].getItem(this.key)) || {};
      } catch (error) {
        return {};
      }
    }
    write(change) {
      const value = { ...this.read(), ...change };
      try {
        window[this.area].setItem(this.key, JSON.stringify(value));
      } catch (error) {
        this.memory = value;
      }
    }
  }

  /** Only a new page can get a valid token. The message is for the shopper. */
  class SessionEnded extends Error {}

  /** The token's `conversation_id` claim, if it has one. Only compared, never trusted. */
  function conversationIn(token) {
    try {
      return JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).conversation_id;
    } catch (error) {
      return null;
    }
  }

  /** The token, which conversation it opens, and requests with it. A refused token is renewed once, in one flight. */
  class Session {
    constructor(vault, widget) {
      this.vault = vault;
      this.widget = widget;
      this.isGuest = !fixedToken && !tokenUrl;
    }

    /** Has this browser talked here before? If not, nothing is asked of the server until the widget is opened. */
    isKnown() {
      const { token, opened } = this.vault.read();
      return this.isGuest ? token : opened;
    }

    /** Whose unsent messages may go out: a guest's are this browser's, a named shopper's are one conversation's. */
    owner() {
      return this.isGuest ? "guest" : this.conversation;
    }

    async renew(stale) {
      if (this.ended) throw this.ended;
      if (this.token !== stale) return this.token;
      this.renewing = this.renewing || this.obtain(stale).finally(() => (this.renewing = null));
      return this.renewing;
    }

    obtain(stale) {
      if (tokenUrl && (stale || !fixedToken)) return this.obtainNamed();
      if (!this.isGuest) return stale ? Promise.reject(this.end(TEXT.ended)) : Promise.resolve(this.adopt({ token: fixedToken }));
      // One tab at a time, or two of them would begin two conversations.
      const obtain = () => this.obtainGuest(stale);
      return navigator.locks && !this.vault.memory ? navigator.locks.request(this.vault.key, obtain) : obtain();
    }

    async obtainNamed() {
      const response = await fetch(tokenUrl, { credentials: "same-origin", cache: "no-store" });
      if (response.ok) return this.adopt(await response.json());
      throw isTemporary(response) && response.status !== 401 ? new Error(response.status) : this.end(TEXT.ended);
    }

    async obtainGuest(stale) {
      const { token, conversation_id } = this.vault.read();
      if (token && token !== stale) return this.adopt({ token, conversation_id });
      const body = JSON.stringify({ store, token: token || undefined });
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(`${api}guest`, { method: "POST", credentials: "omit", headers, body });
      if (response.ok) {
        const answer = await response.json();
        this.vault.write({ token: answer.token, conversation_id: answer.conversation_id });
        return this.adopt(answer);
      }
      if (!isTemporary(response)) {
        if (!token) throw this.end(TEXT.unavailable);
        this.vault.write({ token: null }); // refused with the old token: the next attempt is a new guest's
      }
      throw new Error(response.status);
    }

    adopt({ token, conversation_id }) {
      const before = this.conversation;
      this.token = token;
      this.conversation = conversationIn(token) || conversation_id || before || null;
      this.widget.onConversation(before && before !== this.conversation);
      return token;
    }

    end(message) {
      this.ended = new SessionEnded(message);
      this.widget.onEnded(message);
      return this.ended;
    }

    async request(path, init) {
      const send = (token) =>
        fetch(api + path, { credentials: "omit", cache: "no-store", ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } });
      const token = this.token || (await this.renew(this.token));
      const response = await send(token);
      return response.status === 401 || response.status === 403 ? send(await this.renew(token)) : response;
    }

    async post(path, body) {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), 20 * SECOND);
      const headers = { "Content-Type": "application/json" };
      try {
        return await this.request(path, { method: "POST", headers, body: JSON.stringify(body), signal: abort.signal, keepalive: true });
      } finally {
        clearTimeout(timer);
      }
    }

    /** Nobody waits for it, nothing repeats it. */
    mention(path, body) {
      this.post(path, body).catch(() => {});
    }
  }

  /** Server-sent events from text in any pieces: calls `emit({event, id, data})`. */
  function eventParser(emit) {
    let rest = "";
    let fields = {};
    return (text) => {
      // A carriage return at the very end may be half of a CRLF: it waits for the next piece.
      const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
        if (name) fields[name] = name === "data" && "data" in fields ? `${fields.data}\n${value}` : value;
        if (line) continue;
        if ("data" in fields) emit(fields);
        fields = {};
      }
    };
  }

  /** One open stream for as long as the page lives. */
  class Stream {
    constructor(session, log, widget) {
      Object.assign(this, { session, log, widget, nap: new Nap() });
      setInterval(() => this.check(SILENCE), 5 * SECOND);
    }

    async start() {
      this.isWanted = true;
      if (this.isRunning) return;
      this.isRunning = true;
      for (let attempt = 0; this.isWanted; attempt++) {
        const started = Date.now();
        const wait = await this.connect().catch(() => 0); // whatever it was, we try again
        this.setConnected(false);
        if (this.session.ended) break;
        if (Date.now() - started > 5 * SECOND) attempt = 0; // it worked for a while
        if (this.isWanted) await this.nap.sleep(Math.max(wait || 0, backoff(attempt)));
      }
      this.isRunning = false;
    }

    stop() {
      this.isWanted = false;
      this.restart();
    }

    /** Drops the connection, if any, and connects again at once. */
    restart() {
      if (this.abort) this.abort.abort();
      this.nap.wake();
    }

    /** After a sleep a connection may be dead without anyone having said so. */
    check(limit) {
      if (this.abort && Date.now() - this.heardAt > limit) this.abort.abort();
    }

    /** Reads until the connection ends. Returns the milliseconds the server asks us to stay away. */
    async connect() {
      const abort = (this.abort = new AbortController());
      this.heardAt = Date.now();
      try {
        const headers = { Accept: "text/event-stream", "Last-Event-ID": this.log.position };
        const response = await this.session.request("stream", { headers, signal: abort.signal });
        if (!response.ok) return retryAfter(response);
        this.setConnected(true);
        await this.read(response.body.getReader());
      } finally {
        abort.abort();
        this.abort = null;
      }
    }

    async read(reader) {
      const decoder = new TextDecoder();
      const parse = eventParser((event) => this.widget.onEvent(event));
      for (let piece; !(piece = await reader.read()).done; ) {
        this.heardAt = Date.now();
        parse(decoder.decode(piece.value, { stream: true }));
        this.widget.onHeard();
      }
    }

    setConnected(now) {
      if (this.isConnected === now) return;
      this.isConnected = now;
      this.widget.onConnected(now);
    }
  }

  /**
   * What the shopper wrote or pressed and the server has not accepted yet: in order, one request at a time.
   * An item is {id, path, text, at, owner, failed: reason|null}.
   */
  class Outbox {
    constructor(session, vault, widget) {
      Object.assign(this, { session, vault, widget, nap: new Nap(), items: [], owner: null });
    }

    stored() {
      return this.vault.read().outbox || [];
    }

    save() {
      const others = this.stored().filter(({ owner }) => owner && owner !== this.owner);
      this.vault.write({ outbox: [...others, ...this.items] });
      this.widget.showActions();
    }

    /** Now we know who is writing. What they left unsent before a reload goes first. */
    claim(owner) {
      const isTheirs = (item) => !item.owner || item.owner === owner;
      const kept = this.stored().filter((item) => isTheirs(item) && !this.find(item.id));
      this.items = [...kept, ...this.items.filter(isTheirs)];
      for (const item of this.items) item.owner = owner;
      this.owner = owner;
      this.save();
      this.run();
    }

    find(id) {
      return this.items.find((item) => item.id === id);
    }

    next() {
      return this.items.find(({ failed }) => failed === null);
    }

    add(path, text, files) {
      const item = { id: newId(), path, text, files, at: new Date().toISOString(), owner: this.owner };
      return this.queue(item);
    }

    /** At the end of the queue; also for another attempt, with the same id. */
    queue(item) {
      item.failed = null;
      this.items = [...this.items.filter((one) => one !== item), item];
      this.save();
      this.run();
      return item;
    }

    drop(id) {
      if (!this.find(id)) return;
      this.items = this.items.filter((item) => item.id !== id);
      this.save();
      this.nap.wake();
    }

    async run() {
      if (this.isRunning) return;
      this.isRunning = true;
      try {
        while (this.next()) await this.deliver(this.next());
      } catch (error) {
        if (!(error instanceof SessionEnded)) throw error;
      } finally {
        this.isRunning = false;
      }
    }

    /** Until it is accepted, refused, or seen in the stream. */
    async deliver(item) {
      for (let attempt = 0; this.items.includes(item); attempt++) {
        const { id, path, text, files } = item;
        const attachments = files && files.map((file) => ({ file_id: file.id }));
        let wait = 0;
        try {
          const response = await this.session.post(path, path === "handback" ? {} : { id, text, attachments });
          const answer = await response.json().catch(() => ({}));
          if (response.ok) {
            this.drop(id);
            return this.widget.onAccepted(item, answer);
          }
          if (!isTemporary(response)) return this.refuse(item, answer.error || {});
          wait = retryAfter(response);
        } catch (error) {
          if (error instanceof SessionEnded) throw error;
        }
        await (wait ? sleep(wait) : this.nap.sleep(backoff(attempt)));
      }
    }

    refuse(item, { message }) {
      item.failed = message || "";
      if (item.path === "messages") this.save();
      else this.drop(item.id);
      this.widget.onRefused(item);
    }
  }

  /** The entries known so far. Calls `show(entry)` for each one that is new or has changed. */
  class Log {
    constructor(show) {
      this.show = show;
      this.clear();
    }

    clear() {
      this.position = 0; // the last seq received, of whatever kind
      this.seen = 0;
      this.entries = new Map(); // by seq
      this.own = new Map(); // written here, by id
    }

    /** A message just written, left from before a reload, or refused. */
    write({ id, text, files, at, failed }) {
      const entry = this.own.get(id) || { kind: "message", author: "shopper", name: null, id, text, files, at };
      this.own.set(id, entry);
      if (!entry.seq) this.update(entry, { state: failed === null ? "pending" : "failed", reason: failed });
    }

    /** The server has it. Its entry still comes by the stream, and will be this one. */
    confirm(id, { seq, at }) {
      const entry = this.own.get(id);
      if (entry && !entry.seq) this.update(entry, { seq, at: at || entry.at, state: "sent" });
    }

    receive(entry) {
      const { seq, kind, target, text, files } = entry;
      if (this.entries.has(seq)) return;
      this.position = Math.max(this.position, seq);
      const own = kind === "message" && entry.author === "shopper" && this.own.get(entry.id);
      const known = this.entries.get(target);
      this.entries.set(seq, own || entry);
      if (kind === "message") this.update(own || entry, { ...entry, state: "sent" });
      else if (kind === "notice") this.show(entry);
      else if (kind === "edited" && known && !known.deleted) this.update(known, { text, files, edited: entry.edited !== false });
      else if (kind === "deleted" && known) this.update(known, { text: "", deleted: true });
    }

    update(entry, change) {
      this.show(Object.assign(entry, change));
    }

    unread() {
      const isUnread = ({ seq, kind, author, deleted, text, files }) =>
        seq > this.seen && kind === "message" && author !== "shopper" && !deleted && (text || files);
      return [...this.entries.values()].filter(isUnread).length;
    }
  }

  // ---- The screen

  const nameOf = ({ author, name }) => name || TEXT[author] || "";

  const avatar = (kind, name) =>
    h(`span.avatar.${kind}`, { "aria-hidden": true }, kind === "operator" && name ? [...name][0].toUpperCase() : icon(kind));

  /** The conversation in the log's order. What is not in the log yet stands last. */
  class MessageList {
    constructor(onRetry) {
      this.onRetry = onRetry;
      this.shown = []; // entries; each has got a `node`
      this.isFollowing = true; // the reader is at the bottom
      this.arrangeSoon = soon(() => this.arrange(), 0);
      this.greeting = h("div.greeting", { hidden: "" }, h("b", null, TEXT.greeting), TEXT.greetingMore);
      this.typingText = h("span");
      this.typing = h("div.typing#typing", { hidden: "", "aria-hidden": true }, h("i"), h("i"), h("i"), this.typingText);
      // Not "polite" before the history is there: it is not news.
      const log = { role: "log", tabindex: 0, "aria-label": TEXT.messages, "aria-live": "off", onscroll: () => this.onScroll() };
      this.log = h("div.log#log", log, this.greeting, this.typing);
      this.pill = h("button.pill", { type: "button", hidden: "", onclick: () => this.toEnd() }, TEXT.newMessages, icon("down"));
      this.node = h("div.body", null, this.log, this.pill);
      new ResizeObserver(() => this.isFollowing && this.toEnd()).observe(this.log);
    }

    clear() {
      for (const { node } of this.shown) node.remove();
      this.shown = [];
    }

    /** From now on what appears is news: it moves, and it is read out. */
    goLive() {
      this.isLive = true;
      this.log.setAttribute("aria-live", "polite");
      this.log.classList.add("live");
      this.arrangeSoon();
    }

    show(entry) {
      if (!entry.node) {
        entry.node = entry.kind === "notice" ? this.notice(entry) : this.message(entry);
        if (entry.author !== "shopper") this.pill.hidden = this.isFollowing || !this.isLive;
        if (entry.kind === "message" && entry.author !== "shopper") this.typing.hidden = true;
      }
      if (entry.kind === "message") this.update(entry);
      this.place(entry);
      this.arrangeSoon();
    }

    notice({ code, seq, text }) {
      return h("div.item.notice#notice", { "data-code": code, "data-seq": seq, dir: "auto" }, text || "");
    }

    message(entry) {
      const { author } = entry;
      const by = author === "shopper" ? h("span.sr", null, TEXT.shopper) : this.byline(entry);
      return h(`div.item.${author}#message`, { "data-author": author }, by, h("div.bubble", { dir: "auto" }), h("div.foot"));
    }

    byline({ author, name }) {
      const badge = TEXT[`${author}Badge`] || author;
      return h("div.by", null, avatar(author, name), name || badge, ...(name ? [h("span.badge", null, badge)] : []));
    }

    update(entry) {
      const { node, deleted, state, seq } = entry;
      const [bubble, foot] = [node.querySelector(".bubble"), node.querySelector(".foot")];
      const text = deleted ? TEXT.removed : entry.text || "";
      node.dataset.state = state;
      if (seq) node.dataset.seq = seq;
      node.classList.toggle("removed", !!deleted);
      const isPlain = deleted || entry.author === "shopper"; // what shoppers type is no Markdown
      const files = (!deleted && entry.files) || [];
      const shown = text + files.map(({ url, name }) => url || name);
      if (entry.shownText !== shown) {
        const said = !text ? [] : isPlain ? [h("p", null, text)] : markdown(text);
        bubble.replaceChildren(...said, ...files.map((file) => this.file(file)));
      }
      entry.shownText = shown; // what has not changed is not read out again
      node.hidden = !shown; // its file is on the way
      foot.replaceChildren(...this.footnotes(entry));
    }

    file({ name, mime, url }) {
      const href = url && new URL(`../../${url}`, api).href;
      const isPicture = href && /^image\/(png|jpeg|gif|webp)$/.test(mime);
      const onload = () => this.isFollowing && this.toEnd();
      const shown = isPicture ? h("img", { src: href, alt: name, onload }) : `📎 ${name}`;
      return h("a.file#file", { href, target: "_blank", rel: "noopener noreferrer" }, shown);
    }

    footnotes({ state, at, edited, deleted, author, reason, id }) {
      if (state === "pending") return [TEXT.pending];
      if (state === "failed") {
        const again = h("button.again", { type: "button", onclick: () => this.onRetry(id) }, TEXT.tryAgain);
        return [h("span", null, TEXT.failed + (reason && `: ${reason}`)), again];
      }
      const notes = [h("time", { datetime: at }, new Date(at).toLocaleTimeString([], { timeStyle: "short" }))];
      if (edited && !deleted) notes.push(h("span", null, TEXT.edited));
      if (author === "shopper") notes.push(h("span.receipt", null, TEXT.sent));
      return notes;
    }

    /** Puts the entry where its seq belongs. A node that is in its place is not touched: it may have the focus. */
    place(entry) {
      const before = this.shown.indexOf(entry);
      if (before >= 0) this.shown.splice(before, 1);
      let index = this.shown.length;
      while (index && (this.shown[index - 1].seq || Infinity) > (entry.seq || Infinity)) index--;
      this.shown.splice(index, 0, entry);
      const next = this.shown[index + 1];
      if (before !== index) this.log.insertBefore(entry.node, next ? next.node : this.typing);
    }

    /** Groups, days, the last "Sent": whatever depends on the neighbours. */
    arrange() {
      const latest = [...this.shown].reverse().find(({ author }) => author === "shopper");
      this.shown.forEach((entry, index) => {
        const previous = this.shown[index - 1];
        entry.day = entry.day || dayOf(entry);
        const isNewDay = !previous || previous.day !== entry.day;
        const isJoined = !isNewDay && entry.kind === "message" && ["author", "name"].every((key) => previous[key] === entry[key]);
        if (isNewDay) entry.node.dataset.day = entry.day;
        else delete entry.node.dataset.day;
        entry.node.classList.toggle("joined", isJoined);
        entry.node.classList.toggle("latest", entry === latest);
        if (previous) previous.node.classList.toggle("continued", isJoined && new Date(entry.at) - new Date(previous.at) < 300 * SECOND);
      });
      this.greeting.hidden = !this.isLive || this.shown.length > 0;
      if (this.isFollowing) this.toEnd();
    }

    /** Only scrolling up stops the following. The event comes a frame late: what was added since is no scrolling. */
    onScroll() {
      const { scrollHeight, scrollTop, clientHeight } = this.log;
      if (!clientHeight) return; // the panel is closed
      const isAtEnd = scrollHeight - scrollTop - clientHeight < 48;
      this.isFollowing = isAtEnd || (this.isFollowing && scrollTop >= this.top);
      this.top = scrollTop;
      if (this.isFollowing) this.pill.hidden = true;
    }

    toEnd() {
      this.isFollowing = true;
      this.pill.hidden = true;
      this.log.scrollTop = this.log.scrollHeight;
      this.top = this.log.scrollTop;
    }

    showTyping(who) {
      this.typingText.textContent = fill(TEXT.typing, { name: nameOf(who) });
      this.typing.hidden = false;
      clearTimeout(this.typingTimer);
      this.typingTimer = setTimeout(() => (this.typing.hidden = true), 4 * SECOND);
      if (this.isFollowing) this.toEnd();
    }
  }

  const dayOf = ({ at }) => new Date(at).toLocaleDateString([], { weekday: "short", day: "numeric", month: "long" });

  /** Where the shopper writes. A text that is too long is said to be, never cut. */
  class Composer {
    constructor(draft, widget) {
      this.widget = widget;
      const label = { "aria-label": TEXT.placeholder, placeholder: TEXT.placeholder, enterkeyhint: "send", dir: "auto", rows: 1 };
      this.input = h("textarea.input#composer", { ...label, oninput: () => this.onInput(), onkeydown: (event) => this.onKey(event) });
      this.button = h("button.send#send", { "aria-label": TEXT.send }, icon("send"));
      this.hint = h("p.hint", { role: "status", hidden: "" });
      this.picker = h("input#picker", { type: "file", hidden: "", onchange: () => this.onPick() });
      const clip = h("button.attach", { type: "button", "aria-label": TEXT.attach, onclick: () => this.picker.click() }, icon("clip"));
      this.node = h("form.composer", { onsubmit: (event) => this.submit(event) }, this.picker, clip, this.input, this.button);
      this.input.value = draft;
      this.update();
    }

    onInput() {
      this.update();
      this.widget.onType(this.input.value);
    }

    async onPick() {
      const [file] = this.picker.files;
      this.picker.value = "";
      if (!file) return;
      this.say(fill(TEXT.attaching, file));
      this.say(await this.widget.onAttach(file));
    }

    onKey(event) {
      const isComposing = event.isComposing || event.keyCode === 229; // Enter picks a word in an input method
      if (event.key === "Enter" && !event.shiftKey && !isComposing) this.submit(event);
    }

    submit(event) {
      event.preventDefault();
      if (this.button.disabled) return;
      const text = this.input.value.trim();
      this.input.value = "";
      this.update();
      this.widget.onSend(text);
    }

    update() {
      const count = [...this.input.value.trim()].length;
      const isTooLong = count > TEXT_LIMIT;
      this.button.disabled = !count || isTooLong;
      this.say(isTooLong ? fill(TEXT.tooLong, { count: count.toLocaleString(), limit: TEXT_LIMIT.toLocaleString() }) : "");
      this.grow();
    }

    grow() {
      this.input.style.height = "auto";
      if (this.input.scrollHeight) this.input.style.height = `${this.input.scrollHeight}px`;
    }

    say(text) {
      this.hint.textContent = text;
      this.hint.hidden = !text;
    }
  }

  /** Launcher and panel, and what connects the parts. */
  class Widget {
    constructor() {
      this.local = new Vault("localStorage"); // this browser
      this.page = new Vault("sessionStorage"); // this tab
      this.tab = newId();
      this.state = { stage: "open" };
      this.reportedAt = this.typedAt = 0;
      this.reportSoon = soon(() => this.report(), 250);
      this.list = new MessageList((id) => this.retry(id));
      this.log = new Log((entry) => this.list.show(entry));
      this.session = new Session(this.local, this);
      this.outbox = new Outbox(this.session, this.page, this);
      this.stream = new Stream(this.session, this.log, this);
      this.composer = new Composer(this.page.read().draft || "", this);
      this.build();
      this.listen();
      this.resume();
    }

    build() {
      this.unread = h("span.unread#unread", { "aria-hidden": true });
      const toggle = () => (this.isOpen ? this.close() : this.open());
      const launcher = { type: "button", "aria-haspopup": "dialog", onclick: toggle };
      this.launcher = h("button.launcher#launcher", launcher, icon("nobody"), icon("down"), this.unread);
      this.face = h("div");
      this.title = h("div.title#header-title");
      this.status = h("div.status#status");
      const close = { type: "button", "aria-label": TEXT.close, onclick: () => this.close() };
      this.talk = this.action("escalate#talk-to-person", "operator", TEXT.talkToPerson);
      this.goOn = this.action("handback#continue-with-assistant", "assistant", TEXT.continueWithAssistant);
      this.dock = h("div.dock", null, this.talk, this.goOn, this.composer.node);
      this.panel = h(
        "div.panel#panel",
        { role: "dialog", "aria-label": TEXT.title, tabindex: -1 },
        h("div.header", null, this.face, h("div.who", null, this.title, this.status), h("button.close", close, icon("close"))),
        this.list.node,
        this.composer.hint,
        this.dock,
      );
      const host = h("baton-widget");
      const root = host.attachShadow({ mode: "open" });
      addStyle(root);
      root.append(h("div.root", null, this.panel, this.launcher));
      this.setOpen(false);
      this.showState();
      document.body.append(host);
    }

    action(what, sign, text) {
      const [path, testid] = what.split("#");
      const onclick = () => {
        this.composer.say("");
        this.list.toEnd();
        this.outbox.add(path);
        this.takeFocus(); // the button goes away, and the focus would with it
      };
      return h(`button.action#${testid}`, { type: "button", onclick }, icon(sign), text);
    }

    listen() {
      // The page's own shortcuts must not fire while the shopper writes: from outside this looks like no input.
      for (const type of ["keydown", "keypress", "keyup"]) this.panel.addEventListener(type, (event) => event.stopPropagation());
      this.panel.addEventListener("keydown", (event) => event.key === "Escape" && !event.isComposing && this.close());
      const on = (target, types, work) => types.forEach((type) => target.addEventListener(type, work));
      on(window, ["online", "offline"], () => this.onNetwork());
      on(window, ["pagehide"], () => this.onLeave());
      on(window, ["pageshow"], ({ persisted }) => persisted && this.isStarted && this.stream.start());
      on(window, ["storage"], ({ key }) => key === this.local.key && this.onOtherTab());
      on(document, ["visibilitychange"], () => this.onVisibility());
      if (window.visualViewport) on(visualViewport, ["resize", "scroll"], () => this.fitViewport());
      setInterval(() => this.onHeard(), SECOND);
    }

    // -- Opening and closing

    /** As it was before the reload. Connects only if this browser has talked here before. */
    resume() {
      if (this.page.read().open) this.open(false);
      else if (this.session.isKnown()) this.start();
    }

    start() {
      if (this.isStarted) return;
      this.isStarted = true;
      this.stream.start();
      this.showStatus();
      this.settle(3 * SECOND);
    }

    open(takesFocus = true) {
      this.local.write({ opened: true });
      this.start();
      this.setOpen(true);
      this.page.write({ open: true });
      this.fitViewport();
      this.composer.grow();
      this.list.toEnd();
      if (takesFocus) this.takeFocus();
      this.onRead();
    }

    /** On a touch screen the keyboard would come up, over half of the conversation. */
    takeFocus() {
      (matchMedia("(pointer: coarse)").matches ? this.panel : this.composer.input).focus();
    }

    close() {
      if (!this.isOpen) return;
      this.setOpen(false);
      this.page.write({ open: false });
      this.launcher.focus();
    }

    setOpen(isOpen) {
      this.isOpen = isOpen;
      this.panel.hidden = !isOpen;
      this.launcher.setAttribute("aria-expanded", isOpen);
      this.showUnread();
    }

    /** A virtual keyboard covers the page without resizing it: the full-screen panel follows what is left. */
    fitViewport() {
      const { visualViewport: view } = window;
      if (!view || view.scale > 1.01) return;
      this.panel.style.setProperty("--viewport-height", `${view.height}px`);
      this.panel.style.setProperty("--viewport-top", `${view.offsetTop}px`);
    }

    // -- What the shopper does

    onSend(text, files) {
      if (!files) this.page.write({ draft: "" });
      this.log.write(this.outbox.add("messages", text, files));
      this.list.toEnd();
    }

    /** A file is a message of its own. Answers what went wrong, if anything did. */
    async onAttach(file) {
      try {
        const headers = { "Content-Type": file.type || "application/octet-stream" };
        const path = `attachments?name=${encodeURIComponent(file.name)}`;
        const response = await this.session.request(path, { method: "POST", headers, body: file });
        const { file_id: id, name, mime, error } = await response.json();
        if (!response.ok) return error.message;
        this.onSend("", [{ id, name, mime }]);
      } catch (error) {
        return TEXT.actionFailed;
      }
      return "";
    }

    retry(id) {
      const item = this.outbox.find(id);
      if (item) this.log.write(this.outbox.queue(item));
    }

    onType(text) {
      this.page.write({ draft: text });
      if (!text || !this.isWithPerson() || Date.now() - this.typedAt < 3 * SECOND) return;
      this.typedAt = Date.now();
      this.session.mention("typing", {});
    }

    onNetwork() {
      this.stream.restart();
      this.outbox.nap.wake();
    }

    onVisibility() {
      if (!document.hidden) {
        this.stream.nap.wake();
        this.stream.check(REPORT_EVERY);
        this.onRead();
      }
      this.report();
    }

    /** A beacon outlives the page, but cannot set headers. */
    onLeave() {
      const { token } = this.session;
      if (token) navigator.sendBeacon(`${api}goodbye`, JSON.stringify({ token, tab: this.tab }));
      this.stream.stop();
    }

    /** Another tab began the conversation, or showed what is new. */
    onOtherTab() {
      if (this.session.isKnown()) this.start();
      this.recallSeen();
    }

    // -- What the server says

    /** We have a token; `isOther`: for another conversation than before. */
    onConversation(isOther) {
      if (isOther) {
        this.log.clear();
        this.list.clear();
        this.stream.restart();
      }
      this.recallSeen();
      this.outbox.claim(this.session.owner());
      for (const item of this.outbox.items) if (item.path === "messages") this.log.write(item);
    }

    onEvent({ event, id, data }) {
      let value = {};
      try {
        value = JSON.parse(data);
      } catch (error) {
        // The position still advances.
      }
      if (event === "entry") this.onEntry({ ...value, seq: value.seq || Number(id) });
      else if (event === "state") this.showState(Object.assign(this.state, value));
      else if (event === "typing") this.list.showTyping(value);
    }

    onEntry(entry) {
      this.log.receive(entry);
      if (entry.author === "shopper") this.outbox.drop(entry.id);
      this.settle();
      this.onRead();
      this.showUnread();
      this.reportSoon();
    }

    onConnected(now) {
      clearTimeout(this.patience);
      this.isLate = false;
      if (now) {
        this.wasConnected = true;
        this.settle();
        this.outbox.nap.wake();
        this.reportSoon();
      } else this.patience = setTimeout(() => this.showStatus((this.isLate = true)), 2 * SECOND);
      this.showStatus();
    }

    onEnded(message) {
      this.dock.hidden = true;
      this.composer.say(message);
      this.showStatus();
      this.list.goLive();
      this.list.greeting.remove(); // nobody can answer here any more
    }

    onAccepted({ id }, answer) {
      this.log.confirm(id, answer);
    }

    onRefused(item) {
      if (item.path === "messages") this.log.write(item);
      else this.composer.say(TEXT.actionFailed);
    }

    /** The history comes in one go: a pause means that it is complete. */
    settle(pause = SECOND / 2) {
      clearTimeout(this.settling);
      if (!this.list.isLive) this.settling = setTimeout(() => this.list.goLive(), pause);
    }

    // -- What has been received and seen

    /** Everything received counts as seen while the shopper looks at the open window. */
    onRead() {
      const { position, seen } = this.log;
      if (!this.isOpen || document.hidden || seen >= position) return;
      this.log.seen = position;
      this.local.write({ seen: position, seenIn: this.session.conversation });
      this.showUnread();
      this.reportSoon();
    }

    recallSeen() {
      const { seen, seenIn } = this.local.read();
      if (seenIn === this.session.conversation) this.log.seen = Math.max(this.log.seen, seen || 0);
      this.showUnread();
    }

    /** Every second, and when the stream is heard: in a hidden tab timers are slowed down, the network is not. */
    onHeard() {
      if (Date.now() - this.reportedAt >= REPORT_EVERY) this.report();
    }

    report() {
      if (!this.stream.isConnected) return;
      this.reportedAt = Date.now();
      const { position, seen } = this.log;
      this.session.mention("seen", { delivered: position, seen, hidden: document.hidden, tab: this.tab });
    }

    // -- Showing it

    isWithPerson() {
      return ["waiting", "active"].includes(this.state.stage);
    }

    showUnread() {
      const count = this.isOpen ? 0 : this.log.unread();
      this.unread.hidden = !count;
      this.unread.textContent = count > 9 ? "9+" : count;
      const closed = count ? fill(TEXT.openUnread, { count }) : TEXT.open;
      this.launcher.setAttribute("aria-label", this.isOpen ? TEXT.close : closed);
    }

    showState() {
      const { kind, name } = this.state.answering || {};
      const isFinding = this.state.stage === "waiting" && kind !== "operator";
      const isSomebody = !isFinding && (kind === "assistant" || kind === "operator");
      this.title.textContent = isFinding ? TEXT.finding : isSomebody ? name || TEXT[kind] : TEXT.title;
      this.face.replaceChildren(avatar(isSomebody ? kind : "nobody", name));
      this.showStatus();
      this.showActions();
    }

    showStatus() {
      const isOffline = this.isStarted && !this.stream.isConnected && (this.isLate || !this.wasConnected);
      const connection = this.wasConnected ? TEXT.reconnecting : TEXT.connecting;
      this.status.textContent = this.session.ended ? "" : isOffline ? connection : this.stateText();
    }

    stateText() {
      const { stage, answering, position, estimated_wait_seconds: seconds } = this.state;
      if (stage === "resolved") return TEXT.resolvedStatus;
      if (stage !== "waiting") return TEXT[`${answering && answering.kind}Status`] || "";
      const minutes = Math.round(seconds / 60);
      const parts = [];
      if (position) parts.push(position === 1 ? TEXT.next : fill(TEXT.position, { position }));
      if (seconds) parts.push(minutes ? fill(TEXT.minutes, { minutes }) : TEXT.soon);
      return parts.join(" · ") || TEXT.findingStatus;
    }

    showActions() {
      this.talk.hidden = this.isWithPerson();
      this.goOn.hidden = !this.isWithPerson();
      const isAsking = this.outbox.items.some(({ path }) => path !== "messages");
      this.talk.disabled = this.goOn.disabled = isAsking;
    }
  }

  /** A constructed sheet passes a strict content security policy; the element is for browsers without. */
  function addStyle(root) {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch (error) {
      root.append(h("style", null, STYLE));
    }
  }

  let widget;
  window.Baton = { open: () => widget && widget.open(), close: () => widget && widget.close() };
  if (document.body) widget = new Widget();
  else document.addEventListener("DOMContentLoaded", () => (widget = new Widget()));
})();
