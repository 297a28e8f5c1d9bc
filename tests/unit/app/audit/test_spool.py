"""The spool: nothing lost, nothing twice, in order, never more than its bound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from sr.app.audit.spool import Spool
from sr.errors import ConfigurationError, DatasetError, ExternalServiceError


class Collected(list[bytes]):
    """A collector in memory that can be away, or break off within a batch."""

    away = False

    def deliver(self, messages: Sequence[bytes]) -> None:
        """Take messages, or be away."""
        if self.away:
            raise ExternalServiceError("away")
        self.extend(messages)


def rows(first: int, last: int) -> list[tuple[int, bytes]]:
    return [(number, b"message %d" % number) for number in range(first, last + 1)]


def expected(last: int) -> list[bytes]:
    return [message for _, message in rows(1, last)]


def test_what_is_taken_is_delivered_in_order(tmp_path: Path) -> None:
    """Messages leave in the order of their rows, past nine and past a batch."""
    spool, collector = Spool(folder=tmp_path / "spool"), Collected()
    spool.take(rows(1, 300))
    assert spool.forward(collector.deliver) == 300
    assert collector == expected(300)
    assert spool.state.messages == 0
    assert spool.forward(collector.deliver) == 0


def test_a_collector_that_was_away_gets_everything_once(tmp_path: Path) -> None:
    """While nobody listens messages wait; then each goes once, the new ones behind the old."""
    spool, collector = Spool(folder=tmp_path), Collected()
    collector.away = True
    for last in (3, 5, 9):
        spool.take(rows(1, last))
        with pytest.raises(ExternalServiceError):
            spool.forward(collector.deliver)
    assert spool.state.messages == 9
    collector.away = False
    spool.take(rows(1, 12))
    spool.forward(collector.deliver)
    assert collector == expected(12)


@pytest.mark.parametrize("bound", [{"most_messages": 4}, {"most_octets": 4 * 9}])
def test_a_full_spool_leaves_the_rest_in_the_trail(bound: dict[str, int], tmp_path: Path) -> None:
    """The bound is kept and said, and what did not fit is taken when there is room."""
    spool, collector = Spool(folder=tmp_path, **bound), Collected()
    state = spool.take(rows(1, 9))
    assert (state.messages, state.is_full, state.taken) == (4, True, 4)
    assert spool.take(rows(1, 9)).messages == 4
    for _ in range(3):
        spool.forward(collector.deliver)
        spool.take(rows(1, 9))
    assert collector == expected(9)
    assert not spool.state.is_full


def test_what_was_delivered_is_not_taken_again(tmp_path: Path) -> None:
    """After a restart rows that were sent before are passed over."""
    collector = Collected()
    for _ in range(3):
        spool = Spool(folder=tmp_path)
        spool.take(rows(1, 5))
        spool.forward(collector.deliver)
    assert collector == expected(5)


def test_a_crash_before_the_cursor_was_written_doubles_nothing(tmp_path: Path) -> None:
    """A message that was written down counts as taken, whatever the cursor says."""
    spool, collector = Spool(folder=tmp_path), Collected()
    spool.take(rows(1, 3))
    (tmp_path / "taken").write_bytes(b"0\n")
    assert spool.take(rows(1, 4)).messages == 4
    spool.forward(collector.deliver)
    assert collector == expected(4)


def test_a_half_written_message_is_not_sent(tmp_path: Path) -> None:
    """What a crash left under a temporary name is no message."""
    spool, collector = Spool(folder=tmp_path), Collected()
    spool.take(rows(1, 1))
    (tmp_path / ".00000000000000000002.msg.x7").write_bytes(b"mess")
    spool.forward(collector.deliver)
    assert collector == expected(1)


def test_a_damaged_cursor_is_named(tmp_path: Path) -> None:
    """Nobody guesses what was sent."""
    (tmp_path / "taken").write_bytes(b"many\n")
    with pytest.raises(DatasetError) as error:
        Spool(folder=tmp_path).take(rows(1, 1))
    assert error.value.rule == "SPOOL"


def test_two_processes_do_not_send_the_same(tmp_path: Path) -> None:
    """While one forwards, another is refused."""
    spool = Spool(folder=tmp_path)
    spool.take(rows(1, 2))

    def deliver(messages: Sequence[bytes]) -> None:
        with pytest.raises(ConfigurationError):
            Spool(folder=tmp_path).forward(lambda _: None)

    assert spool.forward(deliver) == 2


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    """A file in the place of the folder is an error of the configuration."""
    path = tmp_path / "file"
    path.write_bytes(b"")
    with pytest.raises(ConfigurationError):
        Spool(folder=path).take(rows(1, 1))


def test_nobody_else_may_read_the_spool(tmp_path: Path) -> None:
    """Messages name patients: the folder is for its owner."""
    spool = Spool(folder=tmp_path / "spool")
    spool.take(rows(1, 1))
    assert spool.folder.stat().st_mode & 0o077 == 0
