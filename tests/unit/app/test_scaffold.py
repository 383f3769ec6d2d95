"""First workspaces: names, objectives, thresholds, and files that are written whole or not."""

import re
import stat
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import scaffold
from app.scaffold.names import sanitized, unused
from app.scaffold.objectives import LADDER, propose, threshold
from app.scaffold.proposals import Owner, SloProposal, app_proposals, measured
from slo.units import Duration

FILES = {"headroom.yaml": "a\n", "apps/x.yaml": "b\n"}


def share(percent: str, total: int = 10**9) -> tuple[Fraction, Fraction]:
    """Events of which so many per cent were good."""
    return Fraction(total), total * (1 - Fraction(Decimal(percent)) / 100)


@pytest.mark.parametrize(
    ("measured_share", "proposed"),
    [
        ("100", "99.9"),
        ("99.95", "99.9"),
        ("99.94", "99.5"),
        ("99.75", "99.5"),
        ("99.5", "99"),
        ("99.4", "98"),
        ("40", "50"),
        ("0", "50"),
    ],
)
def test_a_proposed_objective_leaves_half_of_its_budget(measured_share: str, proposed: str) -> None:
    """And what is worse than all of them gets the lowest."""
    assert proposed == propose(*share(measured_share))


def test_few_events_carry_no_strict_objective() -> None:
    """The budget of 30 days has to hold ten failures."""
    assert "99.9" == propose(Fraction(334), Fraction(0))
    assert "99.5" == propose(Fraction(333), Fraction(0))
    assert "50" == propose(Fraction(1), Fraction(0))
    assert propose(Fraction(1, 2), Fraction(0)) is None
    assert propose(Fraction(0), Fraction(0)) is None


@given(total=st.integers(1, 10**12), bad=st.integers(0, 10**12))
def test_more_failures_never_raise_the_proposal(total: int, bad: int) -> None:
    """Whatever the traffic."""
    first = propose(Fraction(total), Fraction(min(bad, total)))
    worse = propose(Fraction(total), Fraction(min(bad + 1, total)))
    assert (first is None) == (worse is None)
    if first is not None and worse is not None:
        assert LADDER.index(first) <= LADDER.index(worse)


def test_the_threshold_is_the_boundary_above_the_99th_percentile() -> None:
    """The last one where there is none, and never one that is no whole millisecond."""
    counts = {Decimal("0.1"): Fraction(90), Decimal("0.5"): Fraction(99), Decimal(1): Fraction(100)}
    assert (Decimal("0.5"), Fraction(99)) == threshold(counts, Fraction(100), per_second=1)
    assert (Decimal(1), Fraction(100)) == threshold(counts, Fraction(10_000), per_second=1)
    fine = {Decimal("0.0005"): Fraction(100)}
    assert threshold(fine, Fraction(100), per_second=1) is None
    assert threshold(counts, Fraction(0), per_second=1) is None
    assert (Decimal(1), Fraction(100)) == threshold(
        {Decimal(1): Fraction(100)}, Fraction(100), per_second=1000
    )


@given(st.text(max_size=80))
def test_any_text_becomes_a_name(text: str) -> None:
    """One that the loader takes."""
    name = sanitized(text)
    assert re.fullmatch("[a-z0-9]([-a-z0-9]*[a-z0-9])?", name), name
    assert len(name) <= 40


def test_names_that_collide_are_told_apart() -> None:
    """By the next candidate, then by a number, within 40 characters."""
    assert "api" == unused(["API", "shop-api"], set())
    assert "shop-api" == unused(["API", "shop-api"], {"api"})
    assert "shop-api-2" == unused(["API", "shop-api"], {"api", "shop-api"})
    long = "x" * 40
    assert "x" * 38 + "-2" == unused([long], {long})
    assert "zoe" == sanitized("Zoë")
    assert "app" == sanitized("!!!")


def test_a_measured_share_is_never_rounded_up() -> None:
    """99.99999 % is not 100 %."""
    total, bad = Fraction(10**7), Fraction(1)
    text = measured(Duration.of(days=1), total, bad, "requests", "fine", "99.9")
    assert "Last 1d: 10,000,000 requests, 99.9999 % fine; proposed 99.9." == text


def test_hostile_owners_make_files_that_can_be_read() -> None:
    """Line breaks and quotes stay inside their comment and their scalar."""
    owner = Owner.of(("job",), ("x'\n- evil: \u202e1",))
    slo = SloProposal(
        owner=owner,
        kind="availability",
        family="http",
        objective="99",
        traffic=Fraction(1),
        comments=("said\nspec: {}",),
        indicator={"events": {"total": "a{b='c'}", "bad": 'a{b="d"}'}},
    )
    (app,) = app_proposals({owner: [slo]}, "it\nheld")
    assert "x-evil-1" == app.name
    files = {"headroom.yaml": scaffold.workspace(), app.path: app.text}
    assert () == scaffold.checked(files)


def test_the_example_has_no_error() -> None:
    """Nor has the policy."""
    files = {
        "headroom.yaml": scaffold.workspace(),
        "apps/example.yaml": scaffold.example_app(),
        "policies/default.yaml": scaffold.policy(),
    }
    assert () == scaffold.checked(files)


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder by relative path."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_files_and_the_folders_they_need_are_written(tmp_path: Path) -> None:
    """Nothing else is left behind."""
    scaffold.write(tmp_path / "new" / "place", FILES)
    assert FILES == tree(tmp_path / "new" / "place")


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    """Nor is anything beside it written; a dangling link is there too."""
    (tmp_path / "headroom.yaml").symlink_to("nowhere")
    with pytest.raises(scaffold.ScaffoldError, match=re.escape("already there: headroom.yaml")):
        scaffold.write(tmp_path, FILES)
    assert ["headroom.yaml"] == [path.name for path in tmp_path.iterdir()]


def test_force_overwrites_files_and_replaces_links(tmp_path: Path) -> None:
    """What a link pointed to stays as it is."""
    other = tmp_path / "other"
    other.write_text("mine")
    place = tmp_path / "place"
    place.mkdir()
    (place / "headroom.yaml").symlink_to(other)
    (place / "kept.yaml").write_text("kept")
    scaffold.write(place, FILES, force=True)
    assert {**FILES, "kept.yaml": "kept"} == tree(place)
    assert "mine" == other.read_text()
    assert not (place / "headroom.yaml").is_symlink()


def test_a_failure_half_way_leaves_everything_as_it_was(tmp_path: Path) -> None:
    """A name that the file system refuses comes last here, after others were overwritten."""
    (tmp_path / "headroom.yaml").write_text("old")
    files = {**FILES, "zzz/" + "x" * 300: "too long"}
    with pytest.raises(scaffold.ScaffoldError, match="too long"):
        scaffold.write(tmp_path, files, force=True)
    assert {"headroom.yaml": "old"} == tree(tmp_path)
    assert ["headroom.yaml"] == [path.name for path in tmp_path.iterdir()]


def test_a_place_that_is_taken_meanwhile_takes_everything_back(tmp_path: Path) -> None:
    """Two names of one place stand for another program that was faster."""
    with pytest.raises(scaffold.ScaffoldError, match="File exists"):
        scaffold.write(tmp_path / "new", {**FILES, "./headroom.yaml": "other"})
    assert [] == list(tmp_path.iterdir())


def test_a_link_in_the_place_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    """Files must not end up somewhere else."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "apps").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(scaffold.ScaffoldError, match="is no folder of its own"):
        scaffold.write(tmp_path / "place", FILES, force=True)
    assert {} == tree(tmp_path)


def test_files_get_the_usual_mode(tmp_path: Path) -> None:
    """Others in the team read them."""
    scaffold.write(tmp_path, FILES)
    probe = tmp_path / "probe"
    probe.write_text("")
    expected = stat.S_IMODE(probe.stat().st_mode)
    assert expected == stat.S_IMODE((tmp_path / "headroom.yaml").stat().st_mode)
