"""Numbers as a sheet shows them: by the format of their cell, in English of the United States.

A sheet rounds to 15 digits before it shows anything, and so does this. `General` shows all of them,
however wide the column is: an id of twelve digits is no power of ten. So does a format that is not
understood, such as one of fractions.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext

BUILT_IN = {
    **{0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%"},
    **{11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 14: "m/d/yyyy", 15: "d-mmm-yy", 16: "d-mmm"},
    **{17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss"},
    **{22: "m/d/yyyy h:mm", 37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)"},
    **{40: "#,##0.00;(#,##0.00)", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0"},
    49: "@",
}
"""The formats that a workbook only numbers; those of days as the United States write them."""
_DIGITS = 15
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_.|\*.|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<half>AM/PM|A/P)|(?P<time>y+|m+|d+|h+|s+|\.0+)|(?P<sign>.)",
    re.IGNORECASE | re.DOTALL,
)
_TIME = re.compile("[ymdhs]", re.IGNORECASE)
_ELAPSED = re.compile("(h+|m+|s+)", re.IGNORECASE)
_CURRENCY = re.compile(r"\$([^-]*)")
_CONDITION = re.compile(r"\[[<>=]")
_MOST_ZEROS = 400
"""What a sheet can hold is between the 308th power of ten and its inverse."""
_EXACTLY = 1000
_NEVER = 60
"""The 29th of February 1900, which sheets count and which never was."""
_MOST_DAYS = 2_958_466


def shown(value: str, number_format: str, *, is_from_1904: bool = False) -> str:
    """Write a stored number as its cell shows it.

    Args:
        value: the number as it is stored.
        number_format: the format of the cell, as the workbook has it.
        is_from_1904: whether days count from 1904 and not from 1900.
    """
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    if not number.is_finite() or abs(number.adjusted()) > _MOST_ZEROS:
        return value
    with localcontext() as context:
        context.prec = _DIGITS
        context.rounding = ROUND_HALF_UP
        number = +number
    section, is_absolute = _section(number_format, number)
    if _CONDITION.search(number_format):
        return _plainly(number)
    if section.strip().lower() in ("general", "@", ""):
        return _plainly(number)
    tokens = list(_TOKEN.finditer(section))
    if _is_time(tokens):
        return _as_time(number, tokens, is_from_1904=is_from_1904) or _plainly(number)
    written = _as_number(abs(number), tokens)
    if written is None:
        return _plainly(number)
    has_sign = number < 0 and not is_absolute and re.search("[1-9]", written)
    return f"-{written}" if has_sign else written


def _plainly(number: Decimal) -> str:
    """Write all digits of a number, without zeros behind the last decimal."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if text not in ("-0", "") else "0"


def _section(number_format: str, number: Decimal) -> tuple[str, bool]:
    """Return the part of a format for a number, and whether it says itself that it is negative."""
    parts, start, place = [], 0, 0
    for found in _TOKEN.finditer(number_format):
        place = found.end()
        if found["sign"] == ";":
            parts.append(number_format[start : found.start()])
            start = place
    parts.append(number_format[start:])
    if number < 0 and len(parts) > 1:
        return parts[1], True
    if number == 0 and len(parts) > 2:
        return parts[2], True
    return parts[0], False


def _is_time(tokens: list[re.Match[str]]) -> bool:
    return any(
        found["half"]
        or (found["time"] and _TIME.match(found["time"]))
        or (found["bracket"] and _ELAPSED.fullmatch(found["bracket"]))
        for found in tokens
    )


def _literal(found: re.Match[str]) -> str:
    """Return what a token shows that stands for no digit; padding and colours show nothing."""
    if found["bracket"] is not None:
        currency = _CURRENCY.match(found["bracket"])
        return currency[1] if currency else ""
    return found["quoted"] or found["escaped"] or found["sign"] or ""


def _as_number(number: Decimal, tokens: list[re.Match[str]]) -> str | None:
    """Write a number of 0 or more by a format; None of one that is not understood."""
    signs = [found["sign"] or "" for found in tokens]
    decimals_at = next(
        (
            place
            for place, found in enumerate(tokens)
            if found["sign"] == "." or (found["time"] or "").startswith(".")
        ),
        None,
    )
    if any(sign in ("/", "E", "e") for sign in signs) or "?" in signs:
        return None
    number *= 100 ** signs.count("%")
    before = tokens[:decimals_at]
    behind = [] if decimals_at is None else tokens[decimals_at:]
    places = [sign for found in behind for sign in found[0] if sign in "0#" and not _is_text(found)]
    digits_at = [place for place, sign in enumerate(signs[: len(before)]) if sign in ("0", "#")]
    if not digits_at and not places:
        return "".join(_literal(found) for found in tokens)
    if any(sign == "," for sign in signs[(digits_at[-1] if digits_at else 0) :]):
        return None
    with localcontext() as context:
        context.prec = _EXACTLY
        text = f"{number.quantize(Decimal(1).scaleb(-len(places)), ROUND_HALF_UP):f}"
    whole, _, fraction = text.partition(".")
    least = len(places) - next(
        (count for count, sign in enumerate(reversed(places)) if sign == "0"), len(places)
    )
    while len(fraction) > least and fraction.endswith("0"):
        fraction = fraction[:-1]
    return _whole(whole, before) + _fraction(fraction, behind, has_point=decimals_at is not None)


def _is_text(found: re.Match[str]) -> bool:
    return found["quoted"] is not None or found["escaped"] is not None


def _whole(digits: str, tokens: list[re.Match[str]]) -> str:
    """Write the digits before the point, from the last to the first, among what stands there."""
    digits = digits.lstrip("0")
    has_groups = any(found["sign"] == "," for found in tokens)
    first = next((place for place, t in enumerate(tokens) if t["sign"] in ("0", "#")), None)
    written: list[str] = []
    count = 0
    for place in range(len(tokens) - 1, -1, -1):
        sign = tokens[place]["sign"]
        if sign == ",":
            continue
        if sign not in ("0", "#"):
            written.append(_literal(tokens[place])[::-1])
            continue
        wanted = len(digits) if place == first else 1
        for _ in range(max(wanted, 1)):
            if not digits and sign == "#":
                break
            if has_groups and count and count % 3 == 0:
                written.append(",")
            written.append(digits[-1:] or "0")
            digits = digits[:-1]
            count += 1
    return "".join(written)[::-1]


def _fraction(digits: str, tokens: list[re.Match[str]], *, has_point: bool) -> str:
    """Write the digits behind the point, and what stands among and behind them."""
    if not has_point:
        return ""
    written, left, is_begun = ["."], list(digits), False
    for found in tokens:
        if found["time"] or found["sign"] in (".", "0", "#"):
            if not is_begun:
                written += left
                is_begun = True
            continue
        written.append(_literal(found))
    return "".join(written)


def _as_time(number: Decimal, tokens: list[re.Match[str]], *, is_from_1904: bool) -> str | None:
    """Write a day or a time by a format; None where the number is no day."""
    if not 0 <= number < _MOST_DAYS or (int(number) == _NEVER and not is_from_1904):
        return None
    decimals = max((len(t["time"]) - 1 for t in tokens if (t["time"] or "")[:1] == "."), default=0)
    unit = Decimal(1).scaleb(-decimals)
    with localcontext() as context:
        context.prec = _EXACTLY
        seconds = (number * 86400).quantize(unit, ROUND_HALF_UP)
    moment = _moment(seconds, is_from_1904=is_from_1904)
    has_half = any(found["half"] for found in tokens)
    written = []
    for place, found in enumerate(tokens):
        if found["half"]:
            written.append(("AM", "PM")[moment.hour >= 12])
        elif found["bracket"] and _ELAPSED.fullmatch(found["bracket"]):
            per = {"h": 3600, "m": 60, "s": 1}[found["bracket"][0].lower()]
            written.append(f"{int(seconds // per):0{len(found['bracket'])}d}")
        elif found["time"] and found["time"][0] == ".":
            written.append(f"{seconds % 1:.{decimals}f}"[1:])
        elif found["time"]:
            is_minute = found["time"][0] in "mM" and _is_minute(tokens, place)
            written.append(_part(moment, found["time"].lower(), is_minute, has_half))
        else:
            written.append(_literal(found))
    return "".join(written)


def _moment(seconds: Decimal, *, is_from_1904: bool) -> datetime:
    """Return the moment of a number of seconds since the sheet's first day."""
    whole = int(seconds)
    day, of_day = divmod(whole, 86400)
    start = datetime(1904, 1, 1) if is_from_1904 else datetime(1899, 12, 31 if day < _NEVER else 30)
    return start + timedelta(days=day, seconds=of_day)


def _is_minute(tokens: list[re.Match[str]], place: int) -> bool:
    """Say whether an `m` means minutes: it stands behind hours or before seconds."""

    def near(others: Iterator[re.Match[str]]) -> str:
        for found in others:
            bracket = found["bracket"] or ""
            said = found["time"] or (bracket if _ELAPSED.fullmatch(bracket) else "")
            if said and said[0] != ".":
                return said[0].lower()
        return ""

    return near(reversed(tokens[:place])) == "h" or near(iter(tokens[place + 1 :])) == "s"


def _part(moment: datetime, sign: str, is_minute: bool, has_half: bool) -> str:
    """Write one part of a moment: `mm` is 09, `mmm` Sep."""
    width = min(len(sign), 2)
    if sign[0] == "y":
        return f"{moment:%Y}" if len(sign) > 2 else f"{moment.year % 100:02d}"
    if sign[0] == "m" and not is_minute:
        named = {3: "%b", 4: "%B"}.get(len(sign))
        if len(sign) == 5:
            return f"{moment:%B}"[0]
        return moment.strftime(named) if named else f"{moment.month:0{width}d}"
    if sign[0] == "d":
        named = {3: "%a", 4: "%A"}.get(len(sign))
        return moment.strftime(named) if named else f"{moment.day:0{width}d}"
    hour = (moment.hour % 12 or 12) if has_half else moment.hour
    value = {"h": hour, "m": moment.minute, "s": moment.second}[sign[0]]
    return f"{value:0{width}d}"
