"""Debian packages as parts, from a repository of our own through the real apt-get and dpkg-deb."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.servers.provision.cache import find_recipe
from tests.servers.provision.recipes import load_recipe

ROOT = Path(__file__).parents[2]
GREET = '#!/bin/sh\necho "hello with $LD_LIBRARY_PATH and $GREETING"\n'

pytestmark = pytest.mark.skipif(
    not (shutil.which("apt-get") and shutil.which("dpkg-deb")),
    reason="apt-get and dpkg-deb: they come with Debian and its relatives",
)


class Archive:
    """A repository in a folder, an apt that knows it alone, recipes, and a cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        self.status = folder / "status"
        self.recipes = folder / "recipes"
        self.cache = folder / "cache"
        self.index = self.repository / "Packages"
        for made in (self.repository, self.recipes, *self._apt_folders()):
            made.mkdir(parents=True)
        self.index.touch()
        self.status.touch()
        (folder / "sources.list").write_text(f"deb [trusted=yes] file:{self.repository} ./\n")
        (folder / "apt.conf").write_text(
            f'Dir::State "{folder}/state";\n'
            f'Dir::State::status "{self.status}";\n'
            f'Dir::Cache "{folder}/apt-cache";\n'
            f'Dir::Etc::sourcelist "{folder}/sources.list";\n'
            'Dir::Etc::sourceparts "-";\n'
            'APT::Architecture "amd64";\n'
            'APT::Sandbox::User "root";\n'
        )

    def _apt_folders(self) -> Sequence[Path]:
        return (
            self.folder / "state" / "lists" / "partial",
            self.folder / "apt-cache" / "archives" / "partial",
        )

    def add(self, name: str, files: Mapping[str, str], *, depends: str = "") -> None:
        """Put a package of these files into the repository."""
        tree = self.folder / "trees" / name
        control = _control(name, depends)
        for path, text in {"DEBIAN/control": control, **files}.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
            (tree / path).chmod(0o755 if path.startswith("usr/bin") else 0o644)
        archive = self.repository / f"{name}_1.0_all.deb"
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-b", str(tree), str(archive)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        content = archive.read_bytes()
        with self.index.open("a") as index:
            index.write(
                f"{control}Filename: ./{archive.name}\nSize: {len(content)}\n"
                f"SHA256: {hashlib.sha256(content).hexdigest()}\n\n"
            )

    def install(self, name: str) -> None:
        """Let apt believe that the machine has a package."""
        with self.status.open("a") as status:
            status.write(f"{_control(name, '')}Status: install ok installed\n\n")

    def recipe(self, *lines: str) -> None:
        """Write the recipe of the part ``greeter``."""
        head = ('about = "a fake"', 'takes = "no time"', 'kind = "debian"')
        tail = ("[executables]", 'greet = "usr/bin/greet"')
        (self.recipes / "greeter.toml").write_text("\n".join([*head, *lines, *tail]))

    def build(self, **environment: str) -> subprocess.CompletedProcess[str]:
        """Provision from the recipe."""
        return subprocess.run(
            [sys.executable, "-m", "tests.servers.provision", "--recipes", str(self.recipes)],
            env={
                **os.environ,
                "APT_CONFIG": str(self.folder / "apt.conf"),
                "HEADROOM_SERVERS_CACHE": str(self.cache),
                **environment,
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def part(self) -> Path:
        """Return the folder of the part just built."""
        found = find_recipe(load_recipe(self.recipes / "greeter.toml"), self.cache)
        assert isinstance(found, Path), found
        return found.parent


def _control(name: str, depends: str) -> str:
    depends = f"Depends: {depends}\n" if depends else ""
    return (
        f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Headroom\n"
        f"Description: a fake\n{depends}"
    )


def greeting(part: Path) -> str:
    """Run the part's executable from a folder that it knows nothing about."""
    done = subprocess.run(
        [part / "bin" / "greet"],
        env={"PATH": os.environ["PATH"]},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """A greeter that depends on words, which need letters; the machine has paper."""
    archive = Archive(tmp_path)
    archive.add("greeter", {"usr/bin/greet": GREET}, depends="words (>= 1.0), paper")
    archive.add("words", {"usr/lib/words/libwords.so.1": ""}, depends="letters")
    archive.add("letters", {"usr/lib/libletters-1.so": "", "usr/share/letters": ""})
    archive.add("paper", {"usr/share/paper": ""})
    archive.install("paper")
    return archive


def test_a_package_is_unpacked_alone_unless_its_closure_is_asked_for(archive: Archive) -> None:
    """Its executable is a link, and apt's missing lists are fetched on the way."""
    archive.recipe('packages = ["greeter=1.*"]')

    done = archive.build()

    assert 0 == done.returncode, done.stderr
    part = archive.part()
    assert (part / "bin" / "greet").is_symlink()
    assert not (part / "root" / "usr" / "lib").exists()
    assert "hello with  and \n" == greeting(part)


def test_a_closure_holds_what_the_machine_lacks_and_nothing_else(archive: Archive) -> None:
    """Dependencies of dependencies come too; what is installed stays where it is."""
    archive.recipe('packages = ["greeter"]', "closure = true")

    done = archive.build()

    assert 0 == done.returncode, done.stderr
    root = archive.part() / "root"
    held = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert [
        "usr/bin/greet",
        "usr/lib/libletters-1.so",
        "usr/lib/words/libwords.so.1",
        "usr/share/letters",
    ] == held


def test_a_package_that_is_named_comes_even_if_it_is_installed(archive: Archive) -> None:
    """What a recipe names is in its part on every machine."""
    archive.recipe('packages = ["greeter", "paper"]', "closure = true")

    done = archive.build()

    assert 0 == done.returncode, done.stderr
    assert (archive.part() / "root" / "usr" / "share" / "paper").exists()


def test_a_closure_is_launched_with_its_libraries_and_environment(archive: Archive) -> None:
    """The launcher finds its part wherever that was moved, shallow folders first."""
    (archive.recipes / "words.conf").write_text("a file")
    archive.recipe(
        'packages = ["greeter"]',
        "closure = true",
        'files = ["words.conf"]',
        'environment = { GREETING = "{part}/files/words.conf" }',
    )

    done = archive.build()

    assert 0 == done.returncode, done.stderr
    moved = archive.part().rename(archive.folder / "moved here")
    assert (
        f"hello with {moved}/root/usr/lib:{moved}/root/usr/lib/words and {moved}/files/words.conf\n"
    ) == greeting(moved)
    assert "a file" == (moved / "files" / "words.conf").read_text()


def test_a_dependency_that_cannot_be_had_fails_the_part_by_name(archive: Archive) -> None:
    """Half a closure would fail later, and in a test."""
    archive.add("lonely", {"usr/bin/greet": GREET}, depends="nowhere")
    archive.recipe('packages = ["lonely"]', "closure = true")

    done = archive.build()

    assert 1 == done.returncode
    assert "lonely : Depends: nowhere but it is not installable" in done.stderr


def test_a_program_finds_a_linked_file_where_it_looks_for_it(archive: Archive) -> None:
    """Links are relative, so they hold wherever the part is moved."""
    archive.recipe(
        'packages = ["greeter"]',
        "closure = true",
        'links = { "usr/share/greeter/letters" = "usr/share/letters" }',
    )

    done = archive.build()

    assert 0 == done.returncode, done.stderr
    share = archive.part().rename(archive.folder / "moved here") / "root" / "usr" / "share"
    assert (share / "letters").resolve() == (share / "greeter" / "letters").resolve(strict=True)


def test_a_link_to_what_no_package_holds_fails_the_part(archive: Archive) -> None:
    """A link to nowhere would fail later, and in a test."""
    archive.recipe('packages = ["greeter"]', 'links = { "usr/bin/hello" = "usr/bin/nowhere" }')

    done = archive.build()

    assert 1 == done.returncode
    assert "greeter holds no usr/bin/nowhere" in done.stderr


def test_an_executable_on_path_stands_for_its_part(archive: Archive) -> None:
    """A recipe that allows it fetches nothing where the system has the program."""
    archive.recipe('packages = ["greeter"]', 'system = "greet"')
    installed = archive.folder / "installed"
    installed.mkdir()
    (installed / "greet").write_text("#!/bin/sh\n")
    (installed / "greet").chmod(0o755)

    done = archive.build(PATH=f"{installed}{os.pathsep}{os.environ['PATH']}")

    assert 0 == done.returncode, done.stderr
    assert done.stderr.endswith(f"s in {installed}\n")
    assert not archive.cache.exists()
