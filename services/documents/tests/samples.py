"""Files that citizens send, and some they should not."""

import io
import struct
import zlib

import pikepdf
from reportlab.pdfgen.canvas import Canvas


def pdf(text: str = "Réclamation datée et signée") -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    canvas.drawString(72, 720, text)
    canvas.save()
    return buffer.getvalue()


def encrypted_pdf(user: str = "secret") -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as source:
        source.save(buffer, encryption=pikepdf.Encryption(user=user, owner="owner"))
    return buffer.getvalue()


def png(width: int = 2, height: int = 2) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\0\0\0" * 2 for _ in range(2)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int = 2, height: int = 2) -> bytes:
    def segment(marker: int, body: bytes) -> bytes:
        return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body

    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0"
    scan = segment(0xDA, b"\x01\x01\0\0\x3f\0") + b"\0"
    return (
        b"\xff\xd8"
        + segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
        + segment(0xC0, frame)
        + scan
        + b"\xff\xd9"
    )


def packed_pdf(megabytes: int) -> bytes:
    """A PDF whose objects are in one stream that unpacks to ``megabytes``."""
    objects = (
        b"<</Type/Catalog/Pages 3 0 R>>",
        b"<</Type/Pages/Kids[4 0 R]/Count 1>>",
        b"<</Type/Page/Parent 3 0 R/MediaBox[0 0 9 9]>>",
    )
    offsets = [sum(len(found) + 1 for found in objects[:index]) for index in range(3)]
    header = b" ".join(b"%d %d" % (number + 2, offset) for number, offset in enumerate(offsets)) + b"\n"
    packer = zlib.compressobj(9)
    packed = packer.compress(header + b"\n".join(objects) + b"\n")
    packed += b"".join(packer.compress(b" " * (1 << 20)) for _ in range(megabytes)) + packer.flush()
    out = io.BytesIO()
    out.write(b"%PDF-1.5\n")
    first = out.tell()
    out.write(
        b"1 0 obj\n<</Type/ObjStm/N 3/First %d/Filter/FlateDecode/Length %d>>\nstream\n"
        % (len(header), len(packed))
    )
    out.write(packed + b"\nendstream\nendobj\n")
    table = out.tell()
    places = [(0, 0, 65535), (1, first, 0), (2, 1, 0), (2, 1, 1), (2, 1, 2), (1, table, 0)]
    rows = b"".join(struct.pack(">BIH", *place) for place in places)
    out.write(b"5 0 obj\n<</Type/XRef/Size 6/W[1 4 2]/Root 2 0 R/Length %d>>\nstream\n" % len(rows))
    out.write(rows + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % table)
    return out.getvalue()
