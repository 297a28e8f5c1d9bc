"""Mutated files: whatever the bytes, a verdict or an ``SRError``, and soon."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from sr.dicomfile import BytesSource, canonicalise, read
from sr.errors import SRError
from sr.trust import TrustMaterial, load_policy, parse_certificates, parse_crls
from sr.verification import Verdict, gather, judge
from tests.support.story import PRODUCTS, Story

SEED = 20261120
_HANG_SECONDS = 1.0
_EVERY = 10
"""One mutation in so many is judged too, with chain and revocation; all are read and hashed."""

Mutation = Callable[[bytearray, random.Random, bytes], None]


def flip(data: bytearray, chance: random.Random, _: bytes) -> None:
    """Flip one bit."""
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def overwrite(data: bytearray, chance: random.Random, _: bytes) -> None:
    """Put telling bytes somewhere: lengths, delimiters, group numbers."""
    telling = chance.choice(_TELLING)
    start = chance.randrange(max(1, len(data) - len(telling)))
    data[start : start + len(telling)] = telling


def delete(data: bytearray, chance: random.Random, _: bytes) -> None:
    """Take a stretch out."""
    start = chance.randrange(len(data))
    del data[start : start + chance.randrange(1, 64)]


def repeat(data: bytearray, chance: random.Random, _: bytes) -> None:
    """Say a stretch twice."""
    start = chance.randrange(len(data))
    data[start:start] = data[start : start + chance.randrange(1, 512)]


def truncate(data: bytearray, chance: random.Random, _: bytes) -> None:
    """Cut the end off."""
    del data[chance.randrange(1, len(data)) :]


def transplant(data: bytearray, chance: random.Random, other: bytes) -> None:
    """Put a stretch of another document somewhere."""
    start, taken = chance.randrange(len(data)), chance.randrange(len(other))
    data[start:start] = other[taken : taken + chance.randrange(1, 2048)]


MUTATIONS: tuple[Mutation, ...] = (flip, overwrite, delete, repeat, truncate, transplant)
_TELLING = (
    b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0",
    b"\xfa\xff\xfa\xffSQ\0\0", b"\xfe\x4f\x01\x00SQ\0\0", b"\x00\x04\x20\x01", b"SQ", b"UN", b"OB",
    b"\x02\0\x10\0UI", b"1.2.840.10008.1.2.2\0", b"1.2.840.10008.1.2.1.99", b"\x08\0\x05\0CS",
)  # fmt: skip


def mutants(seeds: list[bytes], count: int) -> Iterator[bytes]:
    """Yield mutated documents, the same every time."""
    chance = random.Random(SEED)
    for _ in range(count):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            if len(data) > 2:
                chance.choice(MUTATIONS)(data, chance, chance.choice(seeds))
        yield bytes(data)


def survive(story: Story, count: int) -> tuple[int, int]:
    """Check mutants; return how many were read and how many passed unchanged judgement."""
    seeds = [(story.out / name).read_bytes() for name in PRODUCTS]
    seeds.append(canonicalise((story.out / "report-draft.dcm").read_bytes()))
    originals = frozenset(seeds)
    material = TrustMaterial(
        anchors=parse_certificates((story.pki / "root.pem").read_bytes()),
        intermediates=parse_certificates((story.pki / "issuing.pem").read_bytes()),
        crls=parse_crls((story.pki / "issuing.crl").read_bytes()),
    )
    policy, now = load_policy("standard"), datetime.now(UTC)
    readable = judged = 0
    for number, data in enumerate(mutants(seeds, count)):
        started = time.process_time()
        try:
            facts = gather(read(BytesSource(data)))
            readable += 1
            if number % _EVERY == 0 and data not in originals:
                verdict = judge(
                    facts, subject="mutant", policy=policy, material=material, judged_at=now
                )
                assert isinstance(verdict, Verdict)
                judged += 1
        except SRError:
            pass
        used = time.process_time() - started
        assert used < _HANG_SECONDS, f"mutant {number} took {used:.1f} s"
    return readable, judged


def test_mutants_are_read_or_refused(story: Story) -> None:
    """Of 600 mutants each ends in facts or an SRError; some of both kinds."""
    readable, judged = survive(story, 600)
    assert 0 < judged < readable < 600


@pytest.mark.prove
def test_a_hundred_thousand_mutants_are_read_or_refused(story: Story) -> None:
    """Of 100,000 mutants each ends in facts or an SRError, none takes a second."""
    readable, judged = survive(story, 100_000)
    assert 0 < judged < readable < 100_000
