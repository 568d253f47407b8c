"""Judges that are not ours: veraPDF on our papers, the real clamd on our scanner. Both are for the long run.

veraPDF wants Java and Maven (``apt-get install maven``), the scan ``apt-get install clamav-daemon``; where
they are missing these tests fail and say so.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from documents_service.papers import declaration, receipt
from documents_service.rendering import render
from documents_service.scanner import TOO_LONG, Scanner, ScannerDown, ScanResult
from espace.i18n import LANGUAGES
from espace.testing import until
from services.documents.tests import samples
from services.documents.tests.test_papers import declared, received
from services.documents.tests.test_scan import EICAR

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def verapdf() -> str:
    """The class path of veraPDF, from Maven, kept between runs."""
    folder = Path.home() / ".cache" / "espace" / "verapdf-1.30.2"
    if not folder.exists():
        assert shutil.which("mvn"), "veraPDF comes by Maven: apt-get install maven"
        pom = Path(__file__).parent / "verapdf.pom.xml"
        made = folder.with_suffix(".new")
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={made}"]
        subprocess.run(["mvn", "-q", "-B", "-f", str(pom), *goal], check=True)
        made.rename(folder)
    return f"{folder}/*"


def verdicts(class_path: str, flavour: str, folder: Path) -> list[str]:
    program = ["java", "-cp", class_path, "org.verapdf.apps.GreenfieldCliWrapper"]
    answer = subprocess.run(
        [*program, "-f", flavour, "--format", "text", *map(str, sorted(folder.glob("*.pdf")))],
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.splitlines()


@pytest.mark.parametrize("flavour", ["2a", "ua1"])
def test_papers_pass_verapdf(verapdf: str, tmp_path: Path, flavour: str) -> None:
    rows = [{"key": "x", "label": "Texte", "value": "😀 " + "w" * 2000 + "\nété\tдом עברית"}]
    hard = declared(sections=[{"key": "s", "title": "S", "rows": rows * 60}])
    for language in LANGUAGES:
        (tmp_path / f"declaration-{language}.pdf").write_bytes(
            render(declaration({**hard, "language": language}))
        )
        (tmp_path / f"receipt-{language}.pdf").write_bytes(render(receipt(received(language=language))))
    found = verdicts(verapdf, flavour, tmp_path)
    assert len(found) == 8
    assert all(line.startswith("PASS ") for line in found), found


def test_verapdf_refuses_the_control(verapdf: str, tmp_path: Path) -> None:
    (tmp_path / "control.pdf").write_bytes(samples.pdf())
    (found,) = verdicts(verapdf, "ua1", tmp_path)
    assert found.startswith("FAIL ")


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanner]:
    """A real clamd that knows one signature."""
    program = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
    assert program, "the real scanner is not installed: apt-get install clamav-daemon"
    folder = tmp_path_factory.mktemp("clamd")
    (folder / "db").mkdir()
    (folder / "db" / "espace.ndb").write_text(f"Espace.Test.Eicar:0:*:{EICAR.hex()}\n")
    socket = folder / "socket"
    (folder / "clamd.conf").write_text(
        f"DatabaseDirectory {folder}/db\nLocalSocket {socket}\nForeground yes\nStreamMaxLength 1M\n"
    )
    with subprocess.Popen(
        [program, f"--config-file={folder}/clamd.conf"], stdout=subprocess.DEVNULL
    ) as running:
        scanner = Scanner(str(socket))
        until("an answer of clamd", lambda: _answers(scanner))
        yield scanner
        running.kill()


def _answers(scanner: Scanner) -> bool:
    try:
        return scanner.scan([b"x"]).outcome == "clean"
    except ScannerDown:
        return False


def test_real_clamd_gives_its_verdicts(clamd: Scanner) -> None:
    assert clamd.scan([samples.pdf()]) == ScanResult("clean")
    assert clamd.scan([EICAR[:20], EICAR[20:]]) == ScanResult("infected", "Espace.Test.Eicar.UNOFFICIAL")
    hidden = samples.pdf().replace(b"%%EOF", b"% " + EICAR + b"\n%%EOF")
    assert clamd.scan([hidden]).outcome == "infected"
    assert clamd.scan([b"x" * 100_000] * 30) == ScanResult("infected", TOO_LONG)
