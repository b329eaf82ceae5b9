"""What `make bench` says of its measurements: ranks, aims, the table, and that nothing was lost."""

import json
from pathlib import Path

import pytest

from benchmarks.figures import Board, at_least, at_most, percentile, shown
from benchmarks.load import Told
from benchmarks.processes import BenchFailed


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, share) for share in (0, 50, 99, 100)] == [1, 50, 99, 100]
    assert percentile([7.0], 99) == 7


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="nothing to rank"):
        percentile([], 50)


def test_an_aim_is_met_at_its_very_value() -> None:
    assert at_most(10).is_met(10)
    assert not at_most(10).is_met(10.1)
    assert at_least(0.5).is_met(0.5)
    assert not at_least(0.5).is_met(0.49)


@pytest.mark.parametrize(
    ("value", "text"), [(12345.6, "12,346"), (123.4, "123"), (1.234, "1.23"), (0.5, "0.5")]
)
def test_three_digits_are_shown(value: float, text: str) -> None:
    assert shown(value) == text


def test_the_table_says_what_was_missed() -> None:
    board = Board()
    board.head("Relay")
    board.compare("messages", "/s", 1000, 400, name="ratio", aim=at_least(0.5))
    board.add("memory", "MB", 100, name="idle_mb", aim=at_most(150))
    table = board.table()
    assert board.missed() == ["messages"]
    assert "| 1,000 /s | 400 /s |   0.4 |    ≥ 0.5 | missed |" in table
    assert len({len(line) for line in table.splitlines()}) == 1


def test_the_file_holds_every_figure_by_its_name(tmp_path: Path) -> None:
    board = Board()
    board.compare("messages", "/s", 1000, 400, name="ratio", aim=at_least(0.5))
    board.add("p50", "ms", 2.0, name="p50_ms", floor=1.0)
    board.note("repeats", 3)
    board.write(tmp_path / "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text())["figures"]
    assert figures == {"ratio": 0.4, "p50_ms": 2.0, "p50_ms_floor": 1.0, "repeats": 3}


def told(*arrivals: int) -> Told:
    """Three messages of one thread: the second is sent after the first was acknowledged, the third meanwhile."""
    times = Told(sent={1: 1.0, 2: 3.0, 3: 3.5}, acked={1: 2.0, 2: 4.0, 3: 4.5})
    times.arrived = dict.fromkeys(arrivals, 5.0)
    times.order = {0: list(arrivals)}
    return times


def test_messages_on_their_way_together_may_pass_each_other() -> None:
    told(1, 3, 2).check("floor", {0: [1, 2, 3]})


def test_a_message_shown_after_a_later_one_fails_the_bench() -> None:
    with pytest.raises(BenchFailed, match="message 1 was shown after one that was written later"):
        told(2, 1, 3).check("ours", {0: [1, 2, 3]})


def test_a_message_that_never_arrives_fails_the_bench() -> None:
    with pytest.raises(BenchFailed, match="1 of 3 messages never reached"):
        told(1, 2).check("ours", {0: [1, 2, 3]})


def test_a_message_in_another_window_fails_the_bench() -> None:
    with pytest.raises(BenchFailed, match="written in another thread"):
        told(1, 2, 3).check("ours", {0: [1, 2], 1: [3]})


def test_a_message_shown_twice_fails_the_bench() -> None:
    times = told(1, 2, 3)
    times.twice.append(2)
    with pytest.raises(BenchFailed, match="1 messages reached a shopper twice"):
        times.check("ours", {0: [1, 2, 3]})
