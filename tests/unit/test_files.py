"""Which files may pass, what they are called, and who may open them."""

import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import files
from bot.files import EXTENSIONS, HEAD, FileRefused, FileTooLarge, Inspected, clean_name, decide, name_for
from bot.settings import FILE_TYPES, FilePolicy, SettingsError, load
from tests.storage.world import START, make_settings

POLICY = FilePolicy()
ALL = FilePolicy(types=FILE_TYPES)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
GIF = b"GIF89a" + bytes(300)
SETTINGS = make_settings("sqlite://")


def archive(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as into:
        for name, content in members.items():
            into.writestr(name, content)
    return packed.getvalue()


DOCX = archive(**{"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})


async def through(content: bytes, name: str, declared: str = "", policy: FilePolicy = POLICY) -> Inspected:
    """Take a file in pieces of odd sizes."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 777):
            yield content[start : start + 777]

    inspected = Inspected(pieces(), name, declared, policy)
    passed = b"".join([piece async for piece in inspected.pass_on()])
    assert passed == content
    return inspected


# --- types ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "name", "declared", "mime"),
    [
        (PNG, "a.png", "image/png", "image/png"),
        (PNG, "a.png", "", "image/png"),
        (PNG, "a", "application/octet-stream", "image/png"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "IMG_1.JPG", "image/jpg", "image/jpeg"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "says-png.png", "image/png", "image/jpeg"),
        (GIF, "a.gif", "image/gif", "image/gif"),
        (b"RIFF1234WEBPVP8 ", "a.webp", "image/webp", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(99), "a.heic", "image/heic", "image/heic"),
        (b"%PDF-1.7\n" + bytes(99), "a.pdf", "application/pdf", "application/pdf"),
        (b"Dear all,\nthe lamp is broken.", "a.txt", "text/plain", "text/plain"),
        ("Grüße\n".encode("latin-1"), "a.txt", "text/plain", "text/plain"),
        (b"id;name\n1;lamp\n", "a.csv", "text/csv", "text/csv"),
        (b'{"order": 4521}', "a.json", "application/json", "text/plain"),
        (DOCX, "a.docx", "", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)
async def test_what_people_send_passes_with_the_type_its_bytes_have(content, name, declared, mime):
    assert (await through(content, name, declared)).mime == mime


@pytest.mark.parametrize("name", ["a.png", "a.txt", "a.html", "a", "a.pdf"])
@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><p>hi</p>",
        b"\xef\xbb\xbf  \n<HTML><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg/>",
        b"<script>alert(1)</script>",
        b"<!-- --><html>",
        b"MZ\x90\x00" + bytes(200),
        b"\x7fELF" + bytes(200),
        b"#!/bin/sh\nrm -rf /",
        b"\xcf\xfa\xed\xfe" + bytes(200),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        b"\x00asm\x01\x00\x00\x00",
    ],
)
@pytest.mark.parametrize("declared", ["", "image/png", "text/plain", "text/html", "image/svg+xml"])
def test_pages_and_programs_never_pass_however_they_are_called(content, name, declared):
    with pytest.raises(FileRefused):
        decide(content, name, declared, ALL)


@pytest.mark.parametrize(
    "polyglot",
    [
        GIF[:6] + b"=1;/*" + bytes(20) + b"*/ <script>alert(1)</script>",
        PNG[:60] + b"<svg onload=alert(1)>" + PNG[60:],
        b"\xff\xd8\xff\xfe\x00\x50<?php system($_GET[0]); ?>" + bytes(99),
        b"%PDF-1.4\n<html><body onload=alert(1)>",
        b"PK\x03\x04" + bytes(40) + b"<!DOCTYPE html>",
    ],
)
def test_a_picture_with_a_page_inside_does_not_pass(polyglot):
    with pytest.raises(FileRefused):
        decide(polyglot, "a.png", "", ALL)


@pytest.mark.parametrize(
    ("content", "name", "declared"),
    [
        (b"just text", "a.png", "image/png"),
        (b"%PDF-1.7", "a.png", "image/png"),
        (PNG, "a.pdf", "application/pdf"),
        (DOCX, "a.png", "image/png"),
        (archive(a=b"x"), "a.docx", ""),
        (bytes(200), "a.txt", "text/plain"),
        (b"", "a.txt", "text/plain"),
    ],
)
def test_what_is_not_what_it_says_does_not_pass(content, name, declared):
    with pytest.raises(FileRefused):
        decide(content, name, declared, POLICY)


def test_the_policy_says_which_types_pass_and_the_refusal_says_it_too():
    zipped = archive(a=b"x")
    with pytest.raises(FileRefused, match="images, PDF, text, office documents"):
        decide(zipped, "a.zip", "application/zip", POLICY)
    assert decide(zipped, "a.zip", "application/zip", ALL) == "application/zip"


async def test_a_zip_bomb_is_kept_as_small_as_it_came():
    bomb = archive(**{f"zeros{index}": bytes(4_000_000) for index in range(5)})
    inspected = await through(bomb, "a.zip", "application/zip", ALL)
    assert inspected.size == len(bomb) < 100_000


@given(st.binary(max_size=HEAD), st.text(max_size=30), st.text(max_size=30))
def test_any_bytes_are_either_of_a_known_type_or_refused(content, name, declared):
    try:
        found = decide(content, name, declared, ALL)
    except FileRefused:
        return
    assert found in EXTENSIONS
    assert not content.lstrip().lower().startswith((b"<html", b"<svg", b"<script", b"<!doctype"))


# --- size -----------------------------------------------------------------------------------------------------


async def test_a_file_is_stopped_at_the_first_piece_too_many():
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 64 * 1024
            yield b"a" * 64 * 1024

    inspected = Inspected(endless(), "a.txt", "text/plain", FilePolicy(max_mb=1))
    with pytest.raises(FileTooLarge, match="1 MB"):
        async for _ in inspected.pass_on():
            pass
    assert read <= files.MIB + 64 * 1024


async def test_nothing_of_a_refused_file_is_passed_on():
    async def pieces() -> AsyncIterator[bytes]:
        yield b"<html>"
        yield b"x" * 10_000

    with pytest.raises(FileRefused):
        await anext(Inspected(pieces(), "a.txt", "", POLICY).pass_on())


# --- names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\photo.jpg", "photo.jpg"),
        ("/etc/cron.d/evil.txt", "evil.txt"),
        ("a\x00b\r\nc.txt", "ab c.txt"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ('a"b<c>.txt', "abc.txt"),
        ("..", "file"),
        ("", "file"),
        ("  .hidden ", "hidden"),
        ("größe 📷.png", "größe 📷.png"),
    ],
)
def test_a_name_is_a_name_and_nothing_else(given_name, kept):
    assert clean_name(given_name) == kept


@given(st.text(max_size=400))
def test_no_name_has_a_path_or_an_invisible_sign_or_is_long(name):
    kept = clean_name(name)
    assert 0 < len(kept) <= files.NAME_LIMIT
    assert not set(kept) & set('/\\\r\n\t\x00"<>')
    assert kept not in (".", "..")


def test_a_long_name_keeps_its_ending():
    assert clean_name("x" * 500 + ".pdf").endswith("x.pdf")


def test_the_ending_says_what_the_file_is():
    assert name_for("photo.exe", "image/png") == "photo.exe.png"
    assert name_for("photo.JPEG", "image/jpeg") == "photo.JPEG"
    assert len(name_for("x" * 100, "image/png")) <= files.NAME_LIMIT


# --- addresses ------------------------------------------------------------------------------------------------


def signed(file_id: str = "f" * 32, seconds: float = 3600.0) -> tuple[str, str]:
    path = files.path_of(SETTINGS, file_id, START, seconds)
    expires, signature = path.partition("?exp=")[2].split("&sig=")
    return expires, signature


def test_a_signed_address_opens_its_file_until_it_expires():
    expires, signature = signed()
    assert files.may_open(SETTINGS, "f" * 32, expires, signature, START + 3599) is True
    assert files.may_open(SETTINGS, "f" * 32, expires, signature, START + 3 * 3600) is False


@pytest.mark.parametrize("expires", ["9999999999", "", "-1", "1e9", "٣", "0" * 13, " 1790000000"])
def test_another_time_is_not_signed(expires):
    assert files.may_open(SETTINGS, "f" * 32, expires, signed()[1], START) is None


def test_another_files_or_secrets_signature_is_none():
    expires, signature = signed()
    assert files.may_open(SETTINGS, "e" * 32, expires, signature, START) is None
    assert files.may_open(replace(SETTINGS, secret="other"), "f" * 32, expires, signature, START) is None
    assert files.may_open(SETTINGS, "f" * 32, expires, "", START) is None
    assert files.may_open(SETTINGS, "f" * 32, expires, "\udcff", START) is None


def test_without_a_secret_nothing_opens():
    empty = replace(SETTINGS, secret="")
    path = files.path_of(empty, "f" * 32, START)
    expires, signature = path.partition("?exp=")[2].split("&sig=")
    assert files.may_open(empty, "f" * 32, expires, signature, START) is None


# --- settings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["s3://bucket", "http://x", "./files", "file://"])
def test_an_address_of_another_kind_is_refused_with_a_clear_word(url):
    with pytest.raises(SettingsError, match="BATON_FILES_URL: only file://FOLDER is known"):
        load({"BATON_FILES_URL": url})


@pytest.mark.parametrize(
    ("policy", "named"),
    [("max_mb = 0", "files.max_mb"), ('max_mb = "20"', "files.max_mb"), ("max_mb = true", "files.max_mb"),
     ('types = ["exe"]', "files.types"), ('types = "image"', "files.types"), ("size = 1", "files.size")],
)  # fmt: skip
def test_a_wrong_policy_is_named(tmp_path, policy, named):
    path = tmp_path / "baton.toml"
    path.write_text(f"[files]\n{policy}\n")
    with pytest.raises(SettingsError, match=named):
        load({"BATON_CONFIG": str(path)})


def test_a_policy_is_read(tmp_path):
    path = tmp_path / "baton.toml"
    path.write_text('[files]\nmax_mb = 5\ntypes = ["image", "video"]\n')
    assert load({"BATON_CONFIG": str(path)}).files == FilePolicy(5.0, ("image", "video"))
