"""The demo: a store, its scripted assistant and the console on this machine, with no account anywhere.

It has a database and keys of its own under `.demo/`, so starting again finds everything where it was. It refuses
any host but loopback and real platform tokens: its console is open to whoever reaches it.
"""

import asyncio
import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot import serving, texts
from bot.settings import Settings, SettingsError, load

FOLDER = Path(".demo")
KEYS = ("BATON_SECRET", "BATON_API_KEY", "BATON_ADMIN_TOKEN", "WEBHOOK_SECRET")
REAL_TOKENS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "DISCORD_TOKEN")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
ASSISTANT = Path(__file__).parent.parent / "examples" / "assistant.py"
POLICY = """\
[stores.demo]
brand = "Lumen & Oak"
public_key = "demo"
team = "support"
"""


def settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The demo's own settings; `PORT` and `BATON_HOST` are the only ones taken from outside."""
    env = os.environ if environment is None else environment
    host = env.get("BATON_HOST") or "127.0.0.1"
    if host not in LOOPBACK:
        raise SettingsError(f"BATON_HOST: the demo serves this machine only, not {host}; leave it unset.")
    for name in REAL_TOKENS:
        if env.get(name):
            raise SettingsError(
                f"{name}: the demo takes no real tokens; unset it, or use `python -m bot run`."
            )
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "baton.toml").write_text(POLICY, encoding="utf-8")
    own = _keys(FOLDER / "keys.json") | {
        "BATON_DATABASE_URL": f"sqlite:///{FOLDER / 'baton.db'}",
        "BATON_CONFIG": str(FOLDER / "baton.toml"),
        "BATON_FILES_URL": f"file://{FOLDER / 'files'}",
        "BATON_HOST": host,
        "BATON_PORT": env.get("PORT") or env.get("BATON_PORT") or "8080",
        "WEBHOOK_URL": f"http://127.0.0.1:{_free_port()}/webhook",
    }
    return load(own)


def _keys(path: Path) -> dict[str, str]:
    """Made once, so that open pages and tokens outlive a restart."""
    if path.exists():
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    made = {name: secrets.token_urlsafe(24) for name in KEYS}
    path.touch(mode=0o600)
    path.write_text(json.dumps(made, indent=2), encoding="utf-8")
    return made


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def run(chosen: Settings) -> None:
    """Serve until Ctrl-C."""
    from bot.wiring import Baton

    baton = Baton(chosen, demo=True)
    stopping = serving.stop_on_signals()
    await serving.start(baton, chosen, "PORT", "choose another, like `make demo PORT=8090`")
    url = f"http://{chosen.host}:{baton.web.port}"
    assistant = await _start_assistant(chosen, url)
    try:
        await _seed(chosen, url)
        print(texts.terminal.demo_ready(url, chosen.stores["demo"].api_key, chosen.admin_token), flush=True)
        await stopping.wait()
    finally:
        print(texts.terminal.demo_stopping(), flush=True)
        assistant.terminate()
        await assistant.wait()
        await baton.stop()


async def _start_assistant(chosen: Settings, url: str) -> asyncio.subprocess.Process:
    """The store's own backend: a process of its own that knows nothing but the public API."""
    store = chosen.stores["demo"]
    env = {
        **os.environ,
        "BATON_URL": url,
        "BATON_API_KEY": store.api_key,
        "WEBHOOK_SECRET": store.webhook_secret,
        "PORT": str(urlsplit(store.webhook_url).port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ASSISTANT), env=env, start_new_session=True
    )
    await _listening(urlsplit(store.webhook_url).port or 0, process)
    return process


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    """Until the assistant takes connections; a demo without it would be silent."""
    while process.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise SettingsError("The demo's assistant ended at once; run `python examples/assistant.py` to see why.")


# --- three cases to look at, made with the public API alone ---------------------------------------------------


def _turns(*texts_said: str) -> list[dict[str, str]]:
    authors = ("shopper", "assistant")
    return [{"id": f"t{n}", "author": authors[n % 2], "text": text} for n, text in enumerate(texts_said)]


SEEDS: tuple[dict[str, Any], ...] = (
    {
        "conversation_id": "seed-waiting",
        "escalation_id": "seed-waiting-1",
        "shopper": {"id": "s-77", "name": "Sarah K.", "email": "sarah@example.com", "tier": "vip", "orders_count": 3,
                    "lifetime_value": 840.5, "currency": "USD", "locale": "en"},
        "reason": {"trigger": "keyword", "rule": "refund", "detail": "I want my money back for order #4521"},
        "category": "refund",
        "priority": "high",
        "summary": {"issue": "Refund for order #4521: the lamp arrived broken", "tried": ["Verified the order",
                    "Offered store credit"], "sentiment": "frustrated", "suggested_action": "Approve the refund (VIP)",
                    "suggested_reply": "I'm sorry about the lamp, Sarah. I've refunded it in full."},
        "collected": {"order_id": "4521"},
        "orders": [{"id": "4521", "status": "delivered", "total": 129.0}],
        "transcript": _turns("Hi, the lamp from order #4521 came in two pieces.",
                             "I'm sorry to hear that. I can offer you store credit.",
                             "No thanks. I want my money back for order #4521."),
    },
    {
        "conversation_id": "seed-active",
        "escalation_id": "seed-active-1",
        "shopper": {"id": "s-12", "name": "Jonas Weber", "orders_count": 1, "locale": "de"},
        "reason": {"trigger": "explicit_request", "detail": "can I talk to a person"},
        "summary": {"issue": "Delivery address of order #4630 is wrong", "sentiment": "worried"},
        "collected": {"order_id": "4630"},
        "transcript": _turns("I typed the wrong street for order #4630!", "I can't change an address myself.",
                             "Then can I talk to a person?"),
    },
    {
        "conversation_id": "seed-resolved",
        "escalation_id": "seed-resolved-1",
        "shopper": {"id": "s-31", "name": "Amira H.", "tier": "gold", "orders_count": 9},
        "summary": {"issue": "Does the oak table fit through an 80 cm door?"},
        "transcript": _turns("Does the oak table fit through an 80 cm door?", "Let me ask the team."),
    },
)  # fmt: skip


async def _seed(chosen: Settings, url: str) -> None:
    """Repeating it changes nothing: each escalation has an id, and the cases have moved on by then."""
    store = {"Authorization": f"Bearer {chosen.stores['demo'].api_key}"}
    lead = {"Authorization": f"Bearer {chosen.admin_token}"}
    async with aiohttp.ClientSession(raise_for_status=True) as http:
        numbers = []
        for body in SEEDS:
            async with http.post(f"{url}/v1/escalations", json=body, headers=store) as answer:
                numbers.append((await answer.json())["number"])
        async with http.get(f"{url}/v1/conversations/seed-active", headers=store) as answer:
            if (await answer.json())["stage"] != "waiting":
                return
        for number, reply in (
            (numbers[1], "Hi Jonas, which street should it be?"),
            (numbers[2], "It does: 78 cm."),
        ):
            case = f"{url}/console/api/conversations/{number}"
            await http.post(f"{case}/claim", json={"operator": "Dana Miller"}, headers=lead)
            said = {"operator": "Dana Miller", "text": reply, "id": "seed-1"}
            await http.post(f"{case}/messages", json=said, headers=lead)
        await http.post(f"{case}/resolve", json={"operator": "Dana Miller"}, headers=lead)
