"""Files in a folder: whole or not there, and nowhere else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.files.local import LocalFiles
from bot.errors import NotFound, PlaceFault
from bot.files import FileRefused, new_id
from bot.settings import SettingsError


async def pieces(*content: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    for one in content:
        yield one
    if then is not None:
        raise then


def everything(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_was_put_is_read_back_and_removed(tmp_path: Path) -> None:
    files, file_id = LocalFiles(tmp_path / "new"), new_id()
    await files.put(file_id, pieces(b"a" * 300_000, b"b" * 300_000))
    assert b"".join([piece async for piece in files.read(file_id)]) == b"a" * 300_000 + b"b" * 300_000
    await files.remove(file_id)
    await files.remove(file_id)
    with pytest.raises(NotFound):
        await anext(files.read(file_id))


@pytest.mark.parametrize("fault", [FileRefused("no"), ConnectionError("gone"), TimeoutError()])
async def test_nothing_is_left_of_what_did_not_end_well(tmp_path: Path, fault: Exception) -> None:
    files = LocalFiles(tmp_path)
    with pytest.raises(type(fault)):
        await files.put(new_id(), pieces(b"a" * 600_000, then=fault))
    assert everything(tmp_path) == []


async def test_putting_it_again_replaces_it(tmp_path: Path) -> None:
    files, file_id = LocalFiles(tmp_path), new_id()
    await files.put(file_id, pieces(b"one"))
    await files.put(file_id, pieces(b"two"))
    assert [piece async for piece in files.read(file_id)] == [b"two"]
    assert len(everything(tmp_path)) == 1


@pytest.mark.parametrize(
    "file_id", ["../../etc/passwd", "", "a" * 31, "A" * 32, "a" * 32 + "\n", "/etc/passwd", "a/../b"]
)
async def test_nothing_but_an_id_of_ours_names_a_file(tmp_path: Path, file_id: str) -> None:
    files = LocalFiles(tmp_path)
    with pytest.raises(NotFound):
        await files.put(file_id, pieces(b"x"))
    with pytest.raises(NotFound):
        await anext(files.read(file_id))
    assert everything(tmp_path) == []


async def test_a_folder_that_cannot_be_written_is_the_places_fault(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"a file")
    with pytest.raises(PlaceFault, match="store_unwritable"):
        await LocalFiles(tmp_path / "taken").put(new_id(), pieces(b"x"))


async def test_only_folders_are_known() -> None:
    with pytest.raises(SettingsError, match="BATON_FILES_URL"):
        LocalFiles.at("s3://bucket")
