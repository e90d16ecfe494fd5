"""What kind of file this is, told by its first bytes: names lie, and c2pa refuses a wrong media type."""

from __future__ import annotations

from pathlib import Path

UNKNOWN = "application/octet-stream"
HEAD_BYTES = 4096

_AT_START: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"BM", "image/bmp"),
    (b"\xff\x0a", "image/x-jxl"),  # bare, without the boxes that could hold credentials
    (b"\x00\x00\x00\x0cJXL ", "image/jxl"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    (b"0&\xb2u\x8ef\xcf\x11", "video/x-ms-asf"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
}

EMBEDDABLE = frozenset(
    {
        "audio/flac",
        "audio/mp4",
        "audio/mpeg",
        "audio/wav",
        "image/avif",
        "image/gif",
        "image/heic",
        "image/heif",
        "image/jpeg",
        "image/jxl",
        "image/png",
        "image/tiff",
        "image/webp",
        "video/mp4",
        "video/quicktime",
        "video/x-msvideo",
    }
)
"""Media types that carry Content Credentials inside the file; the others get a sidecar."""


def sniff(head: bytes) -> str:
    """The media type that the first `HEAD_BYTES` of a file belong to, or `UNKNOWN`."""
    for magic, kind in _AT_START:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], UNKNOWN)
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free"):  # from before `ftyp`, without which c2pa reads none
        return "video/x-quicktime"
    if head[:4] == b"\x1aE\xdf\xa3":  # EBML; its DocType is near the start
        return "video/webm" if b"webm" in head[:80] else "video/x-matroska"
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:
        return "video/mp2t"
    if len(head) > 3 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # MPEG audio, layer III, no ID3
        return "audio/mpeg"
    return UNKNOWN


def is_text(head: bytes) -> bool:
    """Whether the first bytes read as text."""
    if not head or b"\x00" in head:
        return False
    try:
        head[: -4 if len(head) >= HEAD_BYTES else None].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def sidecar_of(path: Path) -> Path:
    """Where the credentials of a file lie that cannot hold them: `clip.webm.c2pa` beside `clip.webm`."""
    return path.with_name(path.name + ".c2pa")
