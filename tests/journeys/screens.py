"""What people have before them: the widget in a shopper's tab, the console in an operator's."""

import asyncio
import shutil

from playwright.async_api import BrowserContext, Locator, Page, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Screen:
    """A page. `wrong` collects what must never happen: script errors and dialogs."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wrong: list[str] = []
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", lambda dialog: self._refuse(dialog))
        self._closing: set[asyncio.Task[None]] = set()

    def _refuse(self, dialog) -> None:
        if dialog.type == "beforeunload":
            return
        self.wrong.append(f"a dialog: {dialog.message}")
        task = asyncio.create_task(dialog.dismiss())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def by(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)


class Window(Screen):
    """The widget, as a shopper sees it."""

    async def visit(self, url: str) -> "Window":
        """Go to the store's page and open the chat."""
        await self.page.goto(url)
        await self.by("launcher").click()
        await expect(self.by("panel")).to_be_visible()
        return self

    async def say(self, text: str) -> None:
        await self.by("composer").fill(text)
        await self.by("composer").press("Enter")

    def message(self, text: str, author: str | None = None) -> Locator:
        found = self.by("message")
        if author:
            found = self.page.locator(f'[data-testid=message][data-author="{author}"]')
        return found.filter(has_text=text)

    async def shows(self, text: str, author: str | None = None, times: int = 1) -> Locator:
        """Wait until so many messages with that text are there."""
        found = self.message(text, author)
        await expect(found).to_have_count(times)
        return found

    async def notices(self, text: str, times: int = 1) -> None:
        await expect(self.by("notice").filter(has_text=text)).to_have_count(times)

    async def texts(self) -> list[str]:
        """Every message's text, from the top."""
        return await self.page.locator("[data-testid=message] .bubble").all_inner_texts()

    async def markup(self) -> str:
        return str(await self.page.evaluate("document.querySelector('baton-widget').shadowRoot.innerHTML"))


class Desk(Screen):
    """The console, as an operator sees it."""

    async def enter(self, url: str, name: str, token: str | None) -> "Desk":
        await self.page.goto(f"{url}/console")
        await self.by("operator-name").fill(name)
        if token:
            await self.by("access-token").fill(token)
        await self.by("enter").click()
        await expect(self.by("live")).to_have_attribute("data-state", "live")
        return self

    async def open(self, number: int) -> None:
        await self.page.locator(f'[data-testid=case-row][data-number="{number}"]').click()
        await expect(self.by("entry").first).to_be_visible()

    async def write(self, text: str) -> None:
        await self.by("composer").fill(text)
        await self.by("composer").press("Enter")

    def entry(self, text: str, kind: str = "message") -> Locator:
        return self.page.locator(f'[data-testid=entry][data-kind="{kind}"]').filter(has_text=text)
