"""What the documents say of the tree, the settings and each other is so."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from dotenv import dotenv_values

from adapters.discord.manifest import PERMISSIONS
from adapters.slack.manifest import SCOPES
from bot.settings import TABLES, SettingsError, load

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]
FOR_TESTS = {"SLACK_API_URL", "SLACK_LIMITS", "DISCORD_API_URL", "DISCORD_GATEWAY_URL"}
ALIAS = {"PORT"}
"""Read for platforms that set it; `BATON_PORT` is the name to write."""


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# --- the tree -------------------------------------------------------------------------------------------------


def drawn() -> dict[str, str]:
    """Path to words, as docs/architecture.md draws the tree; a folder's path ends with a slash."""
    tree = document("docs/architecture.md").split("## The tree")[1].split("```")[1]
    found: dict[str, str] = {}
    above: list[str] = []
    for line in tree.splitlines():
        if not line.strip():
            continue
        depth = (len(line) - len(line.lstrip())) // 2
        names, _, words = re.sub(r"\s{2,}", "\t", line.strip()).partition("\t")
        above = above[:depth]
        for name in names.split(", "):
            found["".join(above) + name] = words
        if names.endswith("/"):
            above.append(names)
    return found


def files_of(folder: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [one for one in listed.stdout.split() if (ROOT / one).exists()]


def test_every_path_of_the_drawn_tree_exists() -> None:
    assert [path for path in drawn() if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("layer", ["bot", "adapters", "storage"])
def test_every_module_stands_in_the_drawn_tree(layer: str) -> None:
    tree = drawn()
    whole = [
        path
        for path in tree
        if path.endswith("/") and not any(one.startswith(path) for one in tree if one != path)
    ]
    missing = [
        path
        for path in files_of(layer)
        if path not in tree and not path.endswith("__init__.py") and not path.startswith(tuple(whole))
    ]
    assert missing == [], "add a line to the tree in docs/architecture.md"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(path: Path) -> None:
    named = re.findall(
        r"`((?:bot|adapters|storage|tests|docs|examples|benchmarks)/[\w./-]+)`", path.read_text("utf-8")
    )
    assert [one for one in named if not (ROOT / one).exists()] == []


# --- links and pictures ---------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """As GitHub makes them out of the headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.strip().lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_and_picture_leads_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    dead = []
    for link in re.findall(r'(?:\]\(|src=")([^)"\s]+)', text):
        if link.startswith(("https://", "http://")) or "…" in link:
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


# --- the settings ---------------------------------------------------------------------------------------------


def variables() -> set[str]:
    """Every variable that the one reader of the environment reads; `NAME_` for those with a store's name behind."""
    source = document("bot/settings.py")
    return set(re.findall(r'"((?:BATON|SLACK|DISCORD|WEBHOOK|LOG)_[A-Z_]+)"', source)) | set(
        re.findall(r'env\.get\(f?"([A-Z_]+)', source)
    )


def test_every_variable_stands_in_the_example_and_in_operations() -> None:
    known = {one.rstrip("_") for one in variables()}
    assert known >= {
        "BATON_SECRET",
        "SLACK_BOT_TOKEN",
        "DISCORD_TOKEN",
        "WEBHOOK_URL",
        "LOG_FORMAT",
        *FOR_TESTS,
        *ALIAS,
    }
    example = set(re.findall(r"^#?([A-Z_]+)=", document(".env.example"), flags=re.MULTILINE))
    assert known - FOR_TESTS - ALIAS == example
    assert {one for one in known if f"`{one}`" not in document("docs/operations.md")} == set()


def test_what_the_example_leaves_open_is_empty_and_not_its_comment() -> None:
    assert set(dotenv_values(ROOT / ".env.example").values()) == {""}


def keys_of(policy: str) -> set[str]:
    """The keys of the table in which `policy` writes one that is none: the refusal names them."""
    Path("policy.toml").write_text(policy, encoding="utf-8")
    with pytest.raises(SettingsError) as refusal:
        load({"BATON_CONFIG": "policy.toml"})
    return set(str(refusal.value).partition("the settings are ")[2].rstrip(".").split(", "))


TABLES_WITH_KEYS = {
    "stores": "[stores.main]\nnone = 1",
    "teams": "[teams.support]\nnone = 1",
    "triggers": "[[triggers]]\nnone = 1",
    "followup": "[followup]\nnone = 1",
    "targets": "[targets]\nnone = 1",
    "files": "[files]\nnone = 1",
}
ONLY_ONE_VALUE = {"kind"}
"""`kind` of a trigger can say "keyword" and nothing else so far."""


@pytest.mark.parametrize("table", TABLES_WITH_KEYS)
def test_every_key_stands_in_the_example_and_in_operations(
    table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keys = keys_of(TABLES_WITH_KEYS[table]) - ONLY_ONE_VALUE
    assert len(keys) > 0
    example = document("baton.example.toml")
    shown = set(re.findall(r"^(?:# )?(\w+) = ", example, flags=re.MULTILINE)) | set(
        re.findall(r"^(?:# )?\[teams\.\w+\.(\w+)\]", example, flags=re.MULTILINE)
    )
    assert keys - shown == set(), "add it to baton.example.toml"
    told = document("docs/operations.md").split("## baton.toml")[1].split("\n## ")[0]
    assert {key for key in keys if f"`{key}`" not in told and f".{key}]" not in told} == set()


def test_every_table_stands_in_the_example() -> None:
    shown = set(re.findall(r"^(?:# )?\[+(\w+)", document("baton.example.toml"), flags=re.MULTILINE))
    assert shown == set(TABLES)


def test_the_example_is_a_policy_also_with_all_of_its_comments_taken_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    example = document("baton.example.toml")
    everything = re.sub(r"^# (?=\[+\w+[\].]|\w+ = )", "", example, flags=re.MULTILINE)
    everything += '\n[teams.billing]\nchannel = "#b"\n'
    env = {
        "SLACK_BOT_TOKEN": "b",
        "SLACK_APP_TOKEN": "a",
        "SLACK_CHANNEL": "#support",
        "BATON_CONFIG": "baton.toml",
    }
    for text in (example, everything):
        tomllib.loads(text)
        Path("baton.toml").write_text(text, encoding="utf-8")
        assert load(env).teams["support"].channel == "#support"


# --- what the platforms are asked for -------------------------------------------------------------------------


def table_behind(name: str, heading: str) -> dict[str, str]:
    """First column to second, of the first table behind a heading."""
    rows: dict[str, str] = {}
    for line in document(name).split(f"## {heading}\n")[1].splitlines():
        if line.startswith("|"):
            first, second = (one.strip() for one in line.strip("|").split("|")[:2])
            rows[first.strip("`")] = second
        elif rows:
            break
    return dict(list(rows.items())[2:])  # behind the head and its line


def test_the_scopes_of_the_document_are_those_of_the_manifest() -> None:
    assert table_behind("docs/slack.md", "Scopes, and why") == dict(SCOPES)


def test_the_permissions_of_the_document_are_those_of_the_invite_link() -> None:
    told = table_behind("docs/discord.md", "Permissions and intents, and why")
    assert told == dict(PERMISSIONS.values())
