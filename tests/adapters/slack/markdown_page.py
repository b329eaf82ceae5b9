"""The Markdown of widget.js and console.js in a real browser, to be called from tests that are not coroutines.

Their functions are cut out of the scripts as they are: from the heading of the Markdown part to the next one.
"""

import asyncio
import threading
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from tests.journeys.screens import CHROMIUM, FLAGS

ROOT = Path(__file__).parents[3]


def _part(script: str, begin: str, end: str) -> str:
    text = (ROOT / script).read_text()
    return text[text.index(begin) : text.index(end, text.index(begin))]


def _widget() -> str:
    tools = _part("adapters/storefront/widget.js", "  /** `h(", "  function icon(")
    return tools + _part("adapters/storefront/widget.js", "  // ---- Markdown", "  // ---- The wire")


def _console() -> str:
    tools = _part("adapters/console/console.js", "function el(", "/** Make `parent` show")
    return tools + _part("adapters/console/console.js", "// The safe subset of Markdown", "// --- session")


READ = """(() => {{ {source}
  const isBlock = (node) => /^(P|UL|OL|LI|PRE|BLOCKQUOTE)$/.test(node.nodeName);
  const styles = {{ STRONG: "bold", EM: "italic", S: "strike", CODE: "code", A: "link" }};
  const linkLast = (one, other) => (one === "link") - (other === "link") || (one < other ? -1 : 1);
  function read(node, style, out) {{
    if (node.className === "muted") return;  // the console says a link's host behind it
    if (node.nodeType === 3) for (const one of node.data) out.push([one, ...new Set(style)].join(" "));
    if (node.nodeName === "LI") out.push(`\\n${{node.parentNode.nodeName}}`);
    else if (isBlock(node)) out.push(`\\n${{node.nodeName === "P" ? "" : node.nodeName}}`);
    const more = styles[node.nodeName];
    for (const child of node.childNodes || []) read(child, more ? [...style, more].sort(linkLast) : style, out);
  }}
  return {{
    read: (text) => {{ const out = []; for (const node of markdown(text)) read(node, [], out); return out; }},
    text: (text) => markdown(text).map((node) => node.textContent).join("\\n"),
  }};
}})()"""


class MarkdownPage:
    """A blank page with both scripts' Markdown in it; the browser lives in a thread with a loop of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._browser: Browser
        self._page: Page
        self._call(self._start())

    def read(self, text: str, of: str = "widget") -> list[str]:
        """Each character with the styles it is shown in; a line break and a name for each block but a paragraph."""
        return list(self._ask(of, "read", text))

    def text(self, text: str, of: str = "widget") -> str:
        return str(self._ask(of, "text", text))

    def close(self) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _ask(self, of: str, name: str, text: str) -> Any:
        return self._call(self._page.evaluate(f"text => scripts.{of}.{name}(text)", text))

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _start(self) -> None:
        self._playwright = await async_playwright().start()
        self._browser = await self._playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        self._page = await self._browser.new_page()
        for name, source in (("widget", _widget()), ("console", _console())):
            await self._page.evaluate(f"(window.scripts ||= {{}}).{name} = {READ.format(source=source)}; 0")

    async def _stop(self) -> None:
        await self._browser.close()
        await self._playwright.stop()
