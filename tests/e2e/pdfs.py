"""Claims to upload: small real PDFs, each with bytes of its own, and the wrong ones."""

import io
from itertools import count
from pathlib import Path

import pikepdf
from reportlab.pdfgen import canvas

_serial = count(1)


def signed_claim(text: str = "Exposé des faits et moyens") -> bytes:
    """A one-page PDF that opens; no two calls give the same bytes."""
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer)
    page.drawString(72, 760, text)
    page.drawString(72, 740, f"Lu et approuvé, exemplaire {next(_serial)}")
    page.save()
    return buffer.getvalue()


def encrypted_claim() -> bytes:
    """A PDF that asks for a password."""
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(signed_claim())) as pdf:
        pdf.save(buffer, encryption=pikepdf.Encryption(owner="maître", user="secret"))
    return buffer.getvalue()


def padded_claim(size: int) -> bytes:
    """A PDF of exactly ``size`` bytes: a stream that nothing shows, and some spaces at the end."""
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(signed_claim())) as pdf:
        pdf.Root.Padding = pdf.make_indirect(pikepdf.Stream(pdf, b" " * (size - 8192)))
        pdf.save(buffer, compress_streams=False)
    return buffer.getvalue().ljust(size)


def on_disk(folder: Path, name: str, content: bytes) -> Path:
    """Write ``content`` where a file picker can find it."""
    path = folder / name
    path.write_bytes(content)
    return path
