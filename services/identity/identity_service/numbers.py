"""National numbers: 11 digits ``YYMMDD SSS CC``; bis numbers add 20 or 40 to the month."""

from stdnum.be import bis, nn
from stdnum.exceptions import ValidationError


def national_number(text: str) -> str | None:
    """The number in its compact form, or None when it is none."""
    for kind in (nn, bis):
        try:
            number: str = kind.validate(text)
        except ValidationError:
            continue
        return number
    return None
