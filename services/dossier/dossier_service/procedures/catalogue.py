"""The procedures on offer: by key, by version, by words."""

from collections.abc import Iterable

from dossier_service.folding import fold
from dossier_service.procedures.model import Procedure


class UnknownProcedure(Exception):
    """There is no procedure of that key (and version)."""


class Catalogue:
    """Keeps every version; offers the newest of each procedure."""

    def __init__(self, procedures: Iterable[Procedure]) -> None:
        self._versions = {(procedure.key, procedure.version): procedure for procedure in procedures}
        self._newest: dict[str, Procedure] = {}
        for (key, _), procedure in sorted(self._versions.items(), key=lambda item: item[0]):
            self._newest[key] = procedure

    def newest(self, key: str) -> Procedure:
        """The version offered today.

        Raises:
            UnknownProcedure: there is none of that key.
        """
        try:
            return self._newest[key]
        except KeyError:
            raise UnknownProcedure(key) from None

    def version(self, key: str, version: int) -> Procedure:
        """The version a dossier was opened under.

        Raises:
            UnknownProcedure: there is none.
        """
        try:
            return self._versions[key, version]
        except KeyError:
            raise UnknownProcedure(f"{key} version {version}") from None

    def search(self, words: str) -> list[Procedure]:
        """The procedures in which every word is found (the start of a word is enough), best first.

        No words: all of them. A word in a title weighs more than one in the keywords or the summary.
        """
        wanted = fold(words).split()
        found = [(self._score(procedure, wanted), procedure) for procedure in self._newest.values()]
        ranked = sorted((-score, procedure.key, procedure) for score, procedure in found if score is not None)
        return [procedure for _, _, procedure in ranked]

    @staticmethod
    def _score(procedure: Procedure, wanted: list[str]) -> int | None:
        titles = fold(" ".join(procedure.title.all().values())).split()
        others = [*procedure.keywords.all().values(), *procedure.summary.all().values()]
        rest = fold(" ".join(others)).split()
        score = 0
        for word in wanted:
            if any(candidate.startswith(word) for candidate in titles):
                score += 2
            elif any(candidate.startswith(word) for candidate in rest):
                score += 1
            else:
                return None
        return score
