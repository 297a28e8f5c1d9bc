"""A public key for a given ECDSA value and digest: what a signature value alone does not prevent.

Cites: SEC 1 4.1.6 (public key recovery).
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["key_that_fits"]

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

_Point = tuple[int, int] | None


def key_that_fits(r: int, s: int, digest: int) -> ec.EllipticCurvePublicKey:
    """Return a P-256 key under which (r, s) is a signature over the digest."""
    y = pow(r**3 - 3 * r + _B, (_P + 1) // 4, _P)
    inverse = pow(r, -1, _N)
    point = _add(_multiply((r, y), s * inverse % _N), _multiply(_G, -digest * inverse % _N))
    assert point is not None
    return ec.EllipticCurvePublicNumbers(*point, ec.SECP256R1()).public_key()


def _add(a: _Point, b: _Point) -> _Point:
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0] and (a[1] + b[1]) % _P == 0:
        return None
    if a == b:
        slope = (3 * a[0] ** 2 - 3) * pow(2 * a[1], -1, _P) % _P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, _P) % _P
    x = (slope**2 - a[0] - b[0]) % _P
    return x, (slope * (a[0] - x) - a[1]) % _P


def _multiply(point: _Point, factor: int) -> _Point:
    result: _Point = None
    while factor:
        if factor & 1:
            result = _add(result, point)
        point, factor = _add(point, point), factor >> 1
    return result
