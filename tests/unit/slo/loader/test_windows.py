"""The catalogue of window pairs, from a file and from the package."""

from fractions import Fraction

from slo.loader import SourceFile, default_catalogue, load_windows
from slo.model import AlertSeverity
from slo.units import Duration
from slo.windows import Catalogue, CataloguePair

PAGE, TICKET = AlertSeverity.PAGE, AlertSeverity.TICKET


def pair(severity: AlertSeverity, long: str, short: str, percent: int) -> CataloguePair:
    """Return a row of a catalogue."""
    return CataloguePair(
        severity=severity,
        long=Duration.parse(long),
        short=Duration.parse(short),
        budget=Fraction(percent, 100),
    )


def test_built_in_catalogue_is_the_workbooks() -> None:
    """Two pages and two tickets with the factors of the Site Reliability Workbook."""
    catalogue = default_catalogue()
    expected = (
        pair(PAGE, "1h", "5m", 2),
        pair(PAGE, "6h", "30m", 5),
        pair(TICKET, "1d", "2h", 10),
        pair(TICKET, "3d", "6h", 10),
    )
    assert Catalogue(pairs=expected) == catalogue
    factors = [each.factor for each in catalogue.for_period(Duration.of(days=30))]
    assert [Fraction("14.4"), 6, 3, 1] == factors


def test_catalogue_of_ones_own() -> None:
    """A file with pairs is a catalogue, without any header."""
    text = "pairs:\n  - {severity: ticket, long: 2d, short: 4h, budget: 7}\n"
    catalogue, problems = load_windows(SourceFile(name="w.yaml", text=text))
    assert () == problems
    assert Catalogue(pairs=(pair(TICKET, "2d", "4h", 7),)) == catalogue
