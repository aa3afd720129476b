"""A downloaded body is decoded as its headers say, and compared with what they promise."""

from __future__ import annotations

import base64
import gzip
import io
import zlib
from collections.abc import Mapping

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargen.base import transfer

BODY = b'{"key": "k", "response": {}}\n' * 1000


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKED = {
    "": BODY,
    "identity": BODY,
    "gzip": gzip.compress(BODY),
    "x-gzip": gzip.compress(BODY[:500]) + gzip.compress(BODY[500:]),  # two members
    "GZip": gzip.compress(BODY) + b"\0\0\0",  # padded
    "deflate": zlib.compress(BODY),
    " deflate ": bare_deflate(BODY),
    "gzip, gzip": gzip.compress(gzip.compress(BODY)),
}


def stored(body: bytes, headers: Mapping[str, str], size: int = 700) -> tuple[bytes, str]:
    """Return what is on the disk in the end, and what is wrong with it."""
    file = io.BytesIO()
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    counted: list[int] = []
    fault = transfer.store(chunks, headers, file, counted.append)
    assert sum(counted) == len(body)
    return file.getvalue(), fault


def hash_of(data: bytes) -> str:
    return "crc32c=" + base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


@pytest.mark.parametrize("encoding", PACKED)
def test_a_packed_body_is_unpacked(encoding: str) -> None:
    """Every encoding that servers and proxies use for gzip and deflate gives the same lines."""
    assert (BODY, "") == stored(PACKED[encoding], {"content-encoding": encoding})


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=3000), st.integers(1, 400), st.sampled_from(["gzip", "deflate", "deflate, gzip"]))
def test_wherever_the_chunks_end(data: bytes, size: int, encoding: str) -> None:
    """Where one chunk ends and the next begins makes no difference."""
    packed = data
    for name in encoding.split(", "):
        packed = gzip.compress(packed) if name == "gzip" else zlib.compress(packed)

    assert (data, "") == stored(packed, {"content-encoding": encoding}, size)


def test_a_small_body_that_holds_a_huge_one_is_unpacked_in_pieces() -> None:
    """What is unpacked at once is bounded, also where the packed bytes are at an end before the pieces are."""
    huge = bytes(3 * transfer._PIECE + 1)
    packed = gzip.compress(huge)
    pieces = list(transfer._through(transfer._unpackers("gzip")[0], packed))

    assert huge == b"".join(pieces)
    assert max(map(len, pieces)) == transfer._PIECE


@pytest.mark.parametrize(
    ("body", "encoding", "fault"),
    [
        (BODY, "br", "its Content-Encoding is br; only gzip and deflate are read"),
        (BODY, "gzip, zstd", "its Content-Encoding is zstd"),
        (BODY, "gzip", "it is not gzip"),
        (PACKED["gzip"][:-9], "gzip", "its compressed body ends too early"),
        (PACKED["deflate"][:-9], "deflate", "its compressed body ends too early"),
    ],
)
def test_what_cannot_be_unpacked_is_said(body: bytes, encoding: str, fault: str) -> None:
    """An encoding that is not read, that is not the body's, or a body that was cut: words, and no exception."""
    assert fault in stored(body, {"content-encoding": encoding})[1]


@pytest.mark.parametrize(
    "written", [hash_of(BODY), f"md5=abc=, {hash_of(BODY)}", "crc32c=", "crc32c=AA==", "md5=x", ""]
)
def test_a_checksum_that_is_right_or_cannot_be_read_is_no_fault(written: str) -> None:
    """The checksum counts where the server sends one; what is no checksum is none."""
    assert (BODY, "") == stored(BODY, {"x-goog-hash": written})


def test_a_checksum_that_does_not_fit_is_said() -> None:
    """A body that arrived with a clean end and other bytes is damaged."""
    assert "X-Goog-Hash" in stored(BODY[:-1] + b" ", {"x-goog-hash": hash_of(BODY)})[1]
    assert "X-Goog-Hash" in stored(b"", {"x-goog-hash": hash_of(BODY)})[1]


@pytest.mark.parametrize("form", [BODY, PACKED["gzip"]])
def test_the_checksum_may_be_of_either_form(form: bytes) -> None:
    """A server may pack on the way what it stores as it is, or store it packed."""
    headers = {"content-encoding": "gzip", "x-goog-hash": hash_of(form)}

    assert (BODY, "") == stored(PACKED["gzip"], headers)
