"""The audit trail under attack: each kind of change is found, and what cannot be found is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sr.app.audit import AuditAction, AuditEvent, ChainRow, encode_event, link
from sr.app.audit.check import check_chain
from sr.app.audit.head import Head, decode_head, encode_head, head_content
from sr.app.audit.report import AuditReport
from sr.errors import DatasetError
from sr.findings import Indication, Status, SubIndication
from tests.support.audit import (
    MEIER,
    SERVICE,
    Keeper,
    Trail,
    chained,
    events,
    open_keeper,
)
from tests.support.pki import NOW

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Keeper:
    """Return who signs heads."""
    return open_keeper(tmp_path_factory.mktemp("keeper"))


@pytest.fixture(scope="module")
def trail(keeper: Keeper) -> Trail:
    """Return a sound trail of 5 + 1 + 5 + 1 + 3 rows under two heads."""
    made = keeper.grown(keeper.grown(Trail(), 5), 5)
    return replace(made, rows=(*made.rows, *chained(events(3), after=made.rows[-1])))


def failing(report: AuditReport) -> set[str]:
    return {f.rule for f in report.findings if f.status is Status.FAIL}


def altered(row: ChainRow, place: int = 20) -> ChainRow:
    changed = bytearray(row.encoded)
    changed[place] ^= 1
    return replace(row, encoded=bytes(changed))


def rewritten(rows: tuple[ChainRow, ...], number: int) -> tuple[ChainRow, ...]:
    """Return rows with one event exchanged and every digest from there on computed anew."""
    before, changed = rows[: number - 1], rows[number - 1]
    event = encode_event(AuditEvent(action=AuditAction.LOGIN, at=NOW, actor=MEIER))
    made = list(before)
    for row in (replace(changed, encoded=event), *rows[number:]):
        previous = made[-1].digest if made else bytes(32)
        made.append(replace(row, digest=link(previous, row.sequence, row.encoded)))
    return tuple(made)


def test_a_sound_trail_passes(keeper: Keeper, trail: Trail) -> None:
    """What was kept is whole up to the last head; the rest is said to be unanchored."""
    report = check_chain(trail.rows, trail.heads, keeper.options(signer="*CN=Audit Keeper*"))
    assert report.indication is Indication.PASSED
    assert (report.rows, report.heads, report.anchored_sequence) == (15, 2, 11)
    assert report.anchored_at == report.proven_at == NOW + 2 * DAY
    notices = {f.rule for f in report.findings if f.status is Status.NOTICE}
    assert notices == {"AUDIT_NOT_ANCHORED"}


def test_a_report_is_no_bool(keeper: Keeper, trail: Trail) -> None:
    """Undecided is neither true nor false."""
    with pytest.raises(TypeError):
        bool(check_chain(trail.rows, trail.heads, keeper.options()))


Attack = Callable[[Trail, Keeper], Trail]
HASH, ABSENT = SubIndication.HASH_FAILURE, SubIndication.SIGNED_DATA_NOT_FOUND
FORMAT, UNSIGNED = SubIndication.FORMAT_FAILURE, SubIndication.NO_SIGNATURE


def _without(items: tuple, index: int) -> tuple:
    return (*items[:index], *items[index + 1 :])


def _with(items: tuple, index: int, item: object) -> tuple:
    return (*items[:index], item, *items[index + 1 :])


def _swapped(t: Trail, k: Keeper) -> Trail:
    """Exchange the events of two rows."""
    one, two = t.rows[1], t.rows[3]
    rows = _with(t.rows, 1, replace(one, encoded=two.encoded))
    return replace(t, rows=_with(rows, 3, replace(two, encoded=one.encoded)))


def _inserted(t: Trail, k: Keeper) -> Trail:
    """Put a row of one's own between two others, and push the numbers up."""
    new = chained(events(1), after=t.rows[3])
    later = (replace(row, sequence=row.sequence + 1) for row in t.rows[4:])
    return replace(t, rows=(*t.rows[:4], *new, *later))


def _forged(t: Trail, k: Keeper) -> Trail:
    """Rewrite a row and all after it, and sign heads with a key of one's own."""
    rows = rewritten(t.rows, 4)
    heads = tuple(k.head(rows[head.sequence - 1], head.at, by="stranger") for head in t.heads)
    return Trail(rows=rows, heads=heads)


ATTACKS: dict[str, tuple[Attack, set[str], SubIndication]] = {
    "event altered": (
        lambda t, k: replace(t, rows=_with(t.rows, 3, altered(t.rows[3]))),
        {"AUDIT_ROW_ALTERED"}, HASH,
    ),
    "digest altered": (
        lambda t, k: replace(t, rows=_with(t.rows, 3, replace(t.rows[3], digest=b"\0" * 32))),
        {"AUDIT_ROW_ALTERED"}, HASH,
    ),
    "digest emptied": (
        lambda t, k: replace(t, rows=_with(t.rows, 3, replace(t.rows[3], digest=b""))),
        {"AUDIT_ROW_ALTERED"}, HASH,
    ),
    "row deleted": (
        lambda t, k: replace(t, rows=_without(t.rows, 3)), {"AUDIT_ROW_MISSING"}, ABSENT,
    ),
    "first row deleted": (
        lambda t, k: replace(t, rows=t.rows[1:]), {"AUDIT_ROW_MISSING"}, ABSENT,
    ),
    "row deleted, gap closed": (
        lambda t, k: replace(
            t, rows=(*t.rows[:3], *(replace(r, sequence=r.sequence - 1) for r in t.rows[4:]))
        ),
        {"AUDIT_ROW_ALTERED", "AUDIT_HEAD_MISMATCH"}, HASH,
    ),
    "events swapped": (_swapped, {"AUDIT_ROW_ALTERED"}, HASH),
    "rows swapped": (
        lambda t, k: replace(t, rows=(t.rows[1], t.rows[0], *t.rows[2:])),
        {"AUDIT_ROW_MISSING", "AUDIT_ORDER"}, FORMAT,
    ),
    "row doubled": (
        lambda t, k: replace(t, rows=(*t.rows[:4], t.rows[3], *t.rows[4:])),
        {"AUDIT_ORDER"}, FORMAT,
    ),
    "row with a negative number": (
        lambda t, k: replace(t, rows=(replace(t.rows[0], sequence=-1), *t.rows)),
        {"AUDIT_ORDER"}, FORMAT,
    ),
    "row inserted": (_inserted, {"AUDIT_ROW_ALTERED", "AUDIT_HEAD_MISMATCH"}, HASH),
    "chain rewritten": (
        lambda t, k: replace(t, rows=rewritten(t.rows, 4)), {"AUDIT_HEAD_MISMATCH"}, HASH,
    ),
    "end cut off before a head": (
        lambda t, k: replace(t, rows=t.rows[:8]), {"AUDIT_TRUNCATED"}, ABSENT,
    ),
    "everything deleted": (
        lambda t, k: replace(t, rows=()), {"AUDIT_TRUNCATED", "AUDIT_NOT_ANCHORED"}, ABSENT,
    ),
    "everything deleted, heads too": (
        lambda t, k: Trail(), {"AUDIT_NOT_ANCHORED"}, UNSIGNED,
    ),
    "heads deleted": (
        lambda t, k: replace(t, heads=()), {"AUDIT_HEAD_MISSING", "AUDIT_NOT_ANCHORED"}, ABSENT,
    ),
    "one head deleted": (
        lambda t, k: replace(t, heads=t.heads[1:]), {"AUDIT_HEAD_MISSING"}, ABSENT,
    ),
    "old head in the place of the new one": (
        lambda t, k: replace(t, heads=(t.heads[0], t.heads[0])),
        {"AUDIT_HEAD_MISSING", "AUDIT_HEAD_ORDER"}, FORMAT,
    ),
    "heads exchanged": (
        lambda t, k: replace(t, heads=t.heads[::-1]), {"AUDIT_HEAD_ORDER"}, FORMAT,
    ),
    "head says another row": (
        lambda t, k: replace(t, heads=(t.heads[0], replace(t.heads[1], sequence=10))),
        {"AUDIT_HEAD_MISMATCH"}, HASH,
    ),
    "head pushed to another row with its digest": (
        lambda t, k: replace(
            t, heads=(t.heads[0], replace(t.heads[1], sequence=10, digest=t.rows[9].digest))
        ),
        {"AUDIT_HEAD_SIGNATURE"}, HASH,
    ),
    "head with another time": (
        lambda t, k: replace(t, heads=(t.heads[0], replace(t.heads[1], at=NOW + 3 * DAY))),
        {"AUDIT_HEAD_SIGNATURE"}, HASH,
    ),
    "head with another signature": (
        lambda t, k: replace(
            t, heads=(t.heads[0], replace(t.heads[1], signature=t.heads[0].signature))
        ),
        {"AUDIT_HEAD_SIGNATURE", "AUDIT_HEAD_TIMESTAMP", "AUDIT_HEAD_MISSING"}, ABSENT,
    ),
    "head signature is junk": (
        lambda t, k: replace(t, heads=(t.heads[0], replace(t.heads[1], signature=b"junk"))),
        {"AUDIT_HEAD_SIGNATURE", "AUDIT_HEAD_TIMESTAMP", "AUDIT_HEAD_MISSING"}, FORMAT,
    ),
    "time-stamp is junk": (
        lambda t, k: replace(t, heads=(t.heads[0], replace(t.heads[1], timestamp=b"junk"))),
        {"AUDIT_HEAD_TIMESTAMP"}, SubIndication.TIMESTAMP_FAILURE,
    ),
    "time-stamp of another head": (
        lambda t, k: replace(
            t, heads=(t.heads[0], replace(t.heads[1], timestamp=t.heads[0].timestamp))
        ),
        {"AUDIT_HEAD_TIMESTAMP"}, SubIndication.TIMESTAMP_FAILURE,
    ),
    "chain rewritten and signed by a stranger": (
        _forged,
        {"AUDIT_HEAD_SIGNATURE", "AUDIT_HEAD_MISSING", "AUDIT_NOT_ANCHORED"}, ABSENT,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_found(name: str, keeper: Keeper, trail: Trail) -> None:
    """Each way to change rows or heads breaks the rules that are meant for it, and no other."""
    attack, rules, sub = ATTACKS[name]
    changed = attack(trail, keeper)
    report = check_chain(changed.rows, changed.heads, keeper.options())
    assert failing(report) - {"AUDIT_NOT_ANCHORED"} == rules - {"AUDIT_NOT_ANCHORED"}
    assert failing(report) >= rules
    assert report.sub_indication is sub
    assert report.indication is not Indication.PASSED


def test_a_tail_cut_off_after_the_last_head_is_only_seen_from_elsewhere(
    keeper: Keeper, trail: Trail
) -> None:
    """With its heads cut off too a trail looks whole; a head kept elsewhere shows that it is not.

    The row that names the newest head is cut off with it, which is what an attacker would do.
    """
    cut = Trail(rows=trail.rows[:6], heads=trail.heads[:1])
    options = keeper.options()
    assert check_chain(cut.rows, cut.heads, options).indication is Indication.PASSED
    report = check_chain(cut.rows, cut.heads, options, kept=trail.heads[1:])
    assert failing(report) == {"AUDIT_TRUNCATED", "AUDIT_HEAD_MISSING"}
    assert report.indication is Indication.FAILED


def test_a_chain_rewritten_by_its_keeper_is_seen_from_elsewhere(
    keeper: Keeper, trail: Trail
) -> None:
    """Whoever holds rows and key can make another trail, but not the head that was kept."""
    rows = rewritten(trail.rows[:5], 2)
    forged = replace(Trail(rows=rows), heads=(keeper.head(rows[-1], NOW + DAY),))
    options = keeper.options()
    assert check_chain(forged.rows, forged.heads, options).indication is Indication.PASSED
    report = check_chain(forged.rows, forged.heads, options, kept=trail.heads[:1])
    assert failing(report) == {"AUDIT_HEAD_MISMATCH", "AUDIT_HEAD_MISSING"}


def test_heads_kept_elsewhere_agree_with_a_sound_trail(keeper: Keeper, trail: Trail) -> None:
    """The same head from two places is one head."""
    report = check_chain(trail.rows, trail.heads, keeper.options(), kept=trail.heads)
    assert report.indication is Indication.PASSED
    assert report.heads == 2


@pytest.mark.parametrize("name", ["author", "stranger"])
def test_heads_by_somebody_else_do_not_vouch(name: str, keeper: Keeper) -> None:
    """A person who may sign reports may not sign heads where the keeper is named."""
    rows = chained(events(3))
    head = keeper.head(rows[-1], NOW, by=name)
    report = check_chain(rows, [head], keeper.options(signer="*CN=Audit Keeper*"))
    assert "AUDIT_HEAD_SIGNER" in failing(report)
    assert report.anchored_sequence == 0
    assert report.indication is Indication.INDETERMINATE


def test_a_keeper_is_accepted_by_fingerprint(keeper: Keeper, trail: Trail) -> None:
    """The fingerprint of the certificate is as good as its name."""
    named = check_chain(trail.rows, trail.heads, keeper.options())
    assert named.signer is not None
    wanted = keeper.options(signer=f"sha256:{named.signer.sha256}")
    assert check_chain(trail.rows, trail.heads, wanted).indication is Indication.PASSED


def test_without_time_stamp_an_old_head_is_undecided_later(keeper: Keeper) -> None:
    """When the keeper's certificate has expired, only a time-stamp shows that it was valid then."""
    rows, later = chained(events(3)), NOW + 1200 * DAY
    for stamped, indication in ((True, Indication.PASSED), (False, Indication.INDETERMINATE)):
        head = keeper.head(rows[-1], NOW, stamped=stamped)
        report = check_chain(rows, [head], keeper.options(later))
        assert report.indication is indication


def test_a_time_stamp_by_nobody_known_is_a_warning(keeper: Keeper, tmp_path: Path) -> None:
    """The head still vouches, its time is only claimed."""
    other = open_keeper(tmp_path)
    rows = chained(events(3))
    mixed = replace(keeper, authority=replace(other.authority, above=()))
    head = mixed.head(rows[-1], NOW)
    options = replace(keeper.options(), timestamp_anchors=(keeper.folder / "stranger.pem",))
    report = check_chain(rows, [head], options)
    assert report.indication is Indication.PASSED
    assert report.proven_at is None
    warned = {f.rule for f in report.findings if f.status is Status.WARN}
    assert warned == {"AUDIT_HEAD_TIMESTAMP"}


def test_a_row_that_only_looks_like_an_anchor_is_named(keeper: Keeper, trail: Trail) -> None:
    """A row that says it is about a head, and is no event, is a fault of form."""
    encoded = b'{"action":"audit-anchored"}'
    last = trail.rows[-1]
    digest = link(last.digest, last.sequence + 1, encoded)
    row = ChainRow(sequence=last.sequence + 1, encoded=encoded, digest=digest)
    report = check_chain((*trail.rows, row), trail.heads, keeper.options())
    assert failing(report) == {"AUDIT_ROW_FORMAT"}


def test_words_of_an_anchor_in_another_event_are_no_anchor(keeper: Keeper, trail: Trail) -> None:
    """Text that an attacker types cannot look like the name of a head."""
    said = AuditEvent(
        action=AuditAction.LOGIN_FAILED,
        at=NOW,
        actor=replace(MEIER, name='","action":"audit-anchored","subject":"aa'),
    )
    rows = (*trail.rows, *chained([said], after=trail.rows[-1]))
    assert not failing(check_chain(rows, trail.heads, keeper.options()))


def test_many_findings_are_counted_and_few_are_shown(keeper: Keeper) -> None:
    """A trail that is wrong everywhere does not fill the report."""
    rows = tuple(altered(row) for row in chained(events(250)))
    report = check_chain(rows, (), keeper.options())
    assert report.counts["AUDIT_ROW_ALTERED"] == 250
    assert sum(f.rule == "AUDIT_ROW_ALTERED" for f in report.findings) == 100


KINDS = ("byte", "delete", "double", "swap", "digest", "sequence")


@settings(max_examples=150)
@given(data=st.data(), count=st.integers(2, 12), kind=st.sampled_from(KINDS))
def test_any_alteration_before_a_head_is_found(
    data: st.DataObject, count: int, kind: str, keeper: Keeper, trail: Trail
) -> None:
    """Whatever is done to a row under a head, the check says so, and never passes."""
    rows = list(trail.rows[: trail.heads[1].sequence])
    place = data.draw(st.integers(0, len(rows) - 1))
    row = rows[place]
    if kind == "byte":
        rows[place] = altered(row, data.draw(st.integers(0, len(row.encoded) - 1)))
    elif kind == "delete":
        del rows[place]
    elif kind == "double":
        rows.insert(place, row)
    elif kind == "swap":
        other = data.draw(st.integers(0, len(rows) - 1).filter(lambda n: n != place))
        rows[place], rows[other] = rows[other], row
    elif kind == "digest":
        rows[place] = replace(row, digest=data.draw(st.binary(max_size=40)))
    else:
        rows[place] = replace(row, sequence=data.draw(st.integers(-(2**63), 2**63 - 1)))
    changed = tuple(rows) != trail.rows[: trail.heads[1].sequence]
    report = check_chain(rows, trail.heads, keeper.options())
    named = {"AUDIT_HEAD_MISSING"} if "AUDIT_HEAD_MISSING" in failing(report) else set()
    assert bool(failing(report) - named) is changed


def test_a_head_is_kept_as_a_line(trail: Trail) -> None:
    """What is kept elsewhere comes back as it was."""
    for head in trail.heads:
        assert decode_head(encode_head(head)) == head
        assert encode_head(head).count(b"\n") == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda line: b"",
        lambda line: b"[]",
        lambda line: line + line,
        lambda line: line.replace(b'"v":1', b'"v":2'),
        lambda line: line.replace(b"srsign-audit-head", b"srsign-facts"),
        lambda line: line.replace(b'"sequence":5', b'"sequence":"5"'),
        lambda line: line.replace(b'"sequence":5', b'"sequence": 5'),
        lambda line: line.replace(b'"digest"', b'"digestive"'),
    ],
)
def test_what_is_no_head_is_refused(change: Callable[[bytes], bytes], trail: Trail) -> None:
    """Only the exact form in which heads are written is read."""
    with pytest.raises(DatasetError) as error:
        decode_head(change(encode_head(trail.heads[0])))
    assert error.value.rule == "AUDIT_HEAD"


def test_what_a_head_signs_names_row_digest_and_time(trail: Trail) -> None:
    """The signed bytes can be read by a person, and are fixed."""
    head: Head = trail.heads[0]
    assert head_content(5, head.digest, head.at) == (
        b'{"at":"2026-11-21T12:00:00+00:00","digest":"' + head.digest.hex().encode()
        + b'","sequence":5,"type":"srsign-audit-head","v":1}\n'
    )  # fmt: skip
    assert SERVICE.is_service
