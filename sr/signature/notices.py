"""What a signer should know about a signature, although no rule forbids it.

Asked while a signature is prepared; nothing here refuses anything.

Cites: PS3.5 6.2; docs/divergences.md.
"""

from __future__ import annotations

from sr.dicomfile.dataset import DataSet
from sr.dicomfile.padding import noncanonical_elements
from sr.dicomfile.tags import describe_tag, format_tag
from sr.findings import Finding, Status
from sr.mac.peer import PEER_BUFFER_BYTES, nests_deeply, peer_stream

__all__ = ["padding_notices", "peer_notices"]


def padding_notices(dataset: DataSet) -> tuple[Finding, ...]:
    """Say when another system could break this signature by rewriting padding.

    Cites: PS3.5 6.2.
    """
    loose = noncanonical_elements(dataset)
    if not loose:
        return ()
    return (
        Finding(
            rule="PADDING_NOT_CANONICAL",
            status=Status.WARN,
            message=f"{describe_tag(loose[0])} has unusual padding; systems that normalise it "
            "will break this signature",
            where=format_tag(loose[0]),
            cites="PS3.5 6.2",
        ),
    )


def peer_notices(
    level: DataSet, covers: tuple[int, ...], *, signed_part: DataSet, stream_bytes: int
) -> tuple[Finding, ...]:
    """Say when DCMTK's dcmsign may not be able to confirm this signature.

    It drops the rest of a sequence inside an item whenever its 16,384-byte buffer fills; a stream
    that fits, or has no sequence inside an item, is safe. A larger one passes by luck at best.

    Cites: docs/divergences.md, "Large nested sequences and dcmsign".
    """
    if stream_bytes < PEER_BUFFER_BYTES or not nests_deeply(level, covers):
        return ()
    lost = peer_stream(level, covers, signature_item=signed_part).truncation
    effect = (
        f"dcmsign reads nested sequences wrongly beyond {PEER_BUFFER_BYTES} and may call this "
        "signature corrupted"
        if lost is None
        else f"dcmsign leaves out {lost.bytes_missing} of them, from {lost.first_uncovered} on, "
        "and will call this signature corrupted"
    )
    return (
        Finding(
            rule="PEER_WILL_TRUNCATE",
            status=Status.NOTICE,
            message=f"the MAC stream has {stream_bytes} bytes; {effect}",
            where=lost.first_uncovered if lost is not None else None,
            cites="PS3.3 C.12.1.1.3.1.1",
        ),
    )
