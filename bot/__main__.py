"""The command line: `python -m bot COMMAND`, or `baton COMMAND`.

Exit codes: 0 done, 1 something is missing or went wrong (said in one line), 2 the command was misspelt.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence

from dotenv import find_dotenv, load_dotenv

from bot import checkup, logs, serving, texts
from bot.errors import Refused
from bot.settings import Settings, SettingsError, load

LEAST_SECRET = 16


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse and run; the answer is the exit code."""
    options = _parser().parse_args(arguments)
    load_dotenv(find_dotenv(usecwd=True))
    try:
        return int(options.run(options) or 0)
    except SettingsError as error:
        print(f"baton: {error}", file=sys.stderr)
        return 1
    except Refused as refusal:
        print(f"baton: {refusal.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="baton", description=texts.terminal.TAGLINE)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: object, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("run", _run, "serve: intake, widget, console and the teams' chats")
    add(
        "demo",
        _demo,
        "serve a store, its assistant and the console on this machine, with no account anywhere",
    )
    add("migrate", _migrate, "bring the database up to date (run and demo do it at their start)")
    add("check", _check, "read all settings and say what is wrong with them")
    doctor = add("doctor", _doctor, "try everything out on every configured platform, each with what to do")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    manifest = add(
        "manifest", _manifest, "print what a platform's set-up page asks for: a manifest or a link"
    )
    manifest.add_argument("platform", nargs="?", default="slack", choices=["slack", "discord"])
    failed = add("failed", _failed, "list deliveries that a platform refused; --retry ID plays one again")
    failed.add_argument("--retry", metavar="ID", help="the id of a failed delivery")
    return parser


def _settings() -> Settings:
    settings = load()
    logs.configure(settings.log_format)
    return settings


def _run(_: argparse.Namespace) -> int:
    settings = _settings()
    for problem in missing(settings):
        raise SettingsError(problem)
    asyncio.run(_serve(settings))
    return 0


def missing(settings: Settings) -> list[str]:
    """What `run` cannot do without, each a sentence with its cure."""
    problems = []
    if len(settings.secret) < LEAST_SECRET:
        problems.append(
            f"BATON_SECRET: missing or shorter than {LEAST_SECRET} characters; write a long random string, for example "
            "from `python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`."
        )
    keys = Counter(store.api_key for store in settings.stores.values())
    for store in settings.stores.values():
        own = f"BATON_API_KEY_{store.name.upper().replace('-', '_')}"
        if not store.api_key:
            problems.append(f"BATON_API_KEY: the store {store.name} has none; set it, or {own}.")
        elif keys[store.api_key] > 1:
            problems.append(
                f"{own}: missing, and a key that several stores share opens none of them; set one for {store.name}."
            )
    return problems


async def _serve(settings: Settings) -> None:
    from bot.wiring import Baton

    baton = Baton(settings)
    stopping = serving.stop_on_signals()
    await serving.start(baton, settings, "BATON_PORT", "choose another")
    print(texts.terminal.serving(settings.public_url), flush=True)
    await stopping.wait()
    await baton.stop()


def _demo(_: argparse.Namespace) -> int:
    from bot import demo

    logs.configure("text")
    asyncio.run(demo.run(demo.settings()))
    return 0


def _migrate(_: argparse.Namespace) -> int:
    from bot.wiring import migrate_database

    changed = migrate_database(_settings())
    print("The database is up to date now." if changed else "The database was up to date already.")
    return 0


def _check(_: argparse.Namespace) -> int:
    print(f".env: {find_dotenv(usecwd=True) or 'none, neither here nor above'}")
    settings = load()
    for store in settings.stores.values():
        print(f"store {store.name}: team {store.team}, API key {'set' if store.api_key else 'MISSING'}, "
              f"webhook {store.webhook_url or 'none'}")  # fmt: skip
    for team in settings.teams.values():
        print(f"team {team.name}: {team.chat}, channel {team.channel}, relay {team.relay}")
    print(f"{len(settings.triggers)} keyword triggers; database {settings.database_url.split('://')[0]}")
    problems = missing(settings)
    for one in problems:
        print(f"baton: {one}", file=sys.stderr)
    return 1 if problems else 0


MARKS = {checkup.Grade.OK: "✓", checkup.Grade.PROBLEM: "✗", checkup.Grade.UNKNOWN: "–"}


def _doctor(options: argparse.Namespace) -> int:
    from bot.wiring import examine

    settings = load()
    logs.configure("text")
    findings = [checkup.problem("settings", one) for one in missing(settings)]
    findings += asyncio.run(examine(settings))
    wrong = any(one.grade is checkup.Grade.PROBLEM for one in findings)
    if options.json:
        print(json.dumps({"ok": not wrong, "findings": [one.as_dict() for one in findings]}, indent=2))
    else:
        for one in findings:
            print(f"{MARKS[one.grade]} {one.about}: {one.text}")
        print(texts.terminal.doctor_ends(sum(one.grade is checkup.Grade.PROBLEM for one in findings)))
    return 1 if wrong else 0


def _manifest(options: argparse.Namespace) -> int:
    from bot.wiring import discord_manifest, slack_manifest

    print(discord_manifest() if options.platform == "discord" else json.dumps(slack_manifest(), indent=2))
    return 0


def _failed(options: argparse.Namespace) -> int:
    from bot.wiring import failed_deliveries, retry_delivery

    settings = _settings()
    if options.retry:
        number = asyncio.run(retry_delivery(settings, options.retry))
        print(f"The delivery is due again; #{number} gets it from the running Baton.")
        return 0
    rows = asyncio.run(failed_deliveries(settings))
    for row in rows:
        print(
            f"{row.id}  #{row.conversation}  {row.reader}  entries {row.first_seq}–{row.last_seq}  {row.error}"
        )
    if not rows:
        print("Nothing has failed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
