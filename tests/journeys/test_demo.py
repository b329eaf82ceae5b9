"""`python -m bot demo`: the main job with no account anywhere, stopped with Ctrl-C, found again where it was."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from tests.journeys.screens import Desk, Window

ROOT = Path(__file__).parents[2]


class Demo:
    """The process in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        self.folder = folder

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """From its invitation to open the pages until Ctrl-C has ended it cleanly."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PORT": str(self.port),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "demo", cwd=self.folder, env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        assert process.stdout
        said = b""
        try:
            async with asyncio.timeout(10):
                while b"Ctrl-C stops it" not in said:
                    line = await process.stdout.readline()
                    assert line, said.decode()
                    said += line
            yield
        finally:
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            rest, _ = await asyncio.wait_for(process.communicate(), 10)
            said += rest
        assert process.returncode == 0, said.decode()
        assert time.monotonic() - began < 5
        assert b"Traceback" not in said, said.decode()
        assert b"ERROR" not in said, said.decode()


@pytest.mark.usefixtures("chromium")
async def test_the_demo_does_the_main_job_and_finds_everything_again_after_ctrl_c(
    chromium: Browser, tmp_path: Path
) -> None:
    demo = Demo(tmp_path)
    shopper, operator = await chromium.new_context(), await chromium.new_context()
    window, desk = Window(await shopper.new_page()), Desk(await operator.new_page())
    async with demo.running():
        await window.visit(f"{demo.url}/demo")
        await window.say("where is my order?")
        await window.shows("Thursday", "assistant")
        await window.say("can i tlak to a real person")
        await window.notices("We're getting a person to help you")
        await desk.enter(demo.url, "Maya Lopez", None)
        row = (
            desk.by("case-row")
            .filter(has_text="where is my order")
            .or_(desk.by("case-row").filter(has_text="tlak"))
        )
        await row.first.click()
        await desk.by("claim").click()
        await window.notices("Maya is here and has read your chat")
        await expect(desk.by("composer")).to_be_enabled()
        await desk.write("Hi! It **leaves** today.")
        await window.shows("It leaves today", "operator")
        await desk.write("// he is nice")
        await expect(desk.entry("he is nice", "aside")).to_be_visible()
        before = await window.texts()
    assert (tmp_path / ".demo").is_dir()
    async with demo.running():
        await window.say("Thank you for that")
        await expect(desk.entry("Thank you for that")).to_be_visible()
        assert await window.texts() == [*before, "Thank you for that"]
        await expect(desk.by("handback")).to_be_enabled()
        await desk.by("handback").click()
        await window.notices("back with the assistant")
        await window.say("what size is the lamp?")
        await window.shows("42 cm", "assistant")
        assert "he is nice" not in await window.markup()
    assert window.wrong + desk.wrong == []
    await shopper.close()
    await operator.close()


async def test_starting_the_demo_again_adds_no_case(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    numbers = []
    for _ in range(2):
        async with demo.running(), aiohttp.ClientSession() as http:
            body = {"operator": "Maya Lopez"}
            async with http.post(f"{demo.url}/console/api/session", json=body) as answer:
                token = (await answer.json())["token"]
            headers = {"Authorization": f"Bearer {token}"}
            async with http.get(f"{demo.url}/console/api/conversations", headers=headers) as answer:
                numbers.append(sorted(row["number"] for row in (await answer.json())["conversations"]))
    assert numbers[0] == numbers[1]
    assert len(numbers[0]) == 3
