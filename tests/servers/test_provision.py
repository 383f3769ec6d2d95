"""Provisioning: parts are built once, whole or not at all, and each failure is told."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.servers.provision.cache import Missing, find, find_recipe
from tests.servers.provision.recipes import RecipeError, load_recipe, load_recipes

ROOT = Path(__file__).parents[2]


def greeter(says: str) -> str:
    """Return a script that makes an executable ``bin/greet``."""
    return (
        f"printf '#!/bin/sh\\necho hello from {says}\\n' > {{bin}}/greet && chmod +x {{bin}}/greet"
    )


class Workshop:
    """A folder of fake recipes and a cache of their own."""

    def __init__(self, folder: Path) -> None:
        self.recipes = folder / "recipes"
        self.cache = folder / "cache"
        # Each build adds a line, so that a test can count builds.
        self.journal = folder / "journal"
        self.recipes.mkdir()

    def add(self, name: str, script: str | None = None, *, extra: str = "") -> None:
        """Write a recipe that runs a shell script, or one that makes ``bin/greet``."""
        script = f"echo {name} >> {self.journal}; {script or greeter(name)}"
        # An array of plain strings is the same in JSON and in TOML.
        self.file(name).write_text(
            f'about = "a fake"\ntakes = "no time"\nkind = "commands"\ntools = ["sh"]\n{extra}\n'
            f"commands = {json.dumps([['sh', '-c', script]])}\n"
        )

    def file(self, name: str) -> Path:
        """Return a recipe's file."""
        return self.recipes / f"{name}.toml"

    def builds(self) -> list[str]:
        """Return the names of the parts built so far, in order."""
        return self.journal.read_text().split() if self.journal.exists() else []

    def command(self, *arguments: str) -> list[str]:
        """Return the command that provisions from the fake recipes."""
        module = "tests.servers.provision"
        return [sys.executable, "-m", module, "--recipes", str(self.recipes), *arguments]

    def environment(self, **more: str) -> Mapping[str, str]:
        """Return the environment of that command."""
        return {**os.environ, "PEERS": "", "HEADROOM_SERVERS_CACHE": str(self.cache), **more}

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Provision and wait."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(**environment),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def start(self) -> subprocess.Popen[bytes]:
        """Provision in the background, in a process group of its own."""
        return subprocess.Popen(
            self.command(),
            env=self.environment(),
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def find(self, name: str) -> Path | Missing:
        """Look a fake part up."""
        return find_recipe(load_recipe(self.file(name)), self.cache)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A workshop without recipes."""
    return Workshop(tmp_path)


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for a condition, ten seconds at most."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_part_is_built_once_and_then_found(workshop: Workshop) -> None:
    """A second run builds nothing and takes less than a second of its own."""
    workshop.add("greeter-1.0")

    first = workshop.run()
    began = time.monotonic()
    second = workshop.run()
    took = time.monotonic() - began

    assert (0, 0) == (first.returncode, second.returncode), first.stderr
    assert ["greeter-1.0"] == workshop.builds()
    # Wall time of a whole interpreter on a busy machine; unloaded it is a tenth of this.
    assert took < 5
    found = workshop.find("greeter-1.0")
    assert isinstance(found, Path)
    greeting = subprocess.run([found / "greet"], capture_output=True, text=True, check=True)
    assert "hello from greeter-1.0\n" == greeting.stdout


def test_progress_is_told_on_stderr_alone(workshop: Workshop) -> None:
    """Each part has its line with the elapsed time."""
    workshop.add("greeter-1.0")

    done = workshop.run()

    assert "" == done.stdout
    assert "greeter-1.0: building, takes no time" in done.stderr
    assert "greeter-1.0: ready after " in done.stderr


def test_a_failing_part_is_reported_and_the_others_go_on(workshop: Workshop) -> None:
    """The message has the log's last lines and its path, and the run fails at the end."""
    workshop.add("broken-1.0", "echo what went wrong; exit 7")
    workshop.add("greeter-1.0")

    done = workshop.run()

    assert 1 == done.returncode
    assert "exited with 7" in done.stderr
    assert "    what went wrong" in done.stderr
    (log,) = (workshop.cache / "logs").glob("broken-1.0-*.log")
    assert str(log) in done.stderr
    assert "provision: broken-1.0 failed" in done.stderr
    assert isinstance(workshop.find("broken-1.0"), Missing)
    assert isinstance(workshop.find("greeter-1.0"), Path)


def test_an_interrupted_build_leaves_nothing_half_made(workshop: Workshop) -> None:
    """After a kill the part is missing, and the next run's part has nothing of the old one."""
    go_on = workshop.cache.parent / "go-on"
    half = f"test -e {go_on} || {{ touch {{bin}}/half; sleep 60; }}"
    workshop.add("slow-1.0", f"{half}; {greeter('slow')}")
    run = workshop.start()
    eventually(lambda: bool(list(workshop.cache.glob(".building/*/part/bin/half"))))

    os.killpg(run.pid, signal.SIGKILL)
    run.wait()

    assert isinstance(workshop.find("slow-1.0"), Missing)
    go_on.touch()
    assert 0 == workshop.run().returncode
    found = workshop.find("slow-1.0")
    assert isinstance(found, Path)
    assert ["greet"] == [each.name for each in found.iterdir()]
    assert [] == list((workshop.cache / ".building").iterdir())


def test_two_runs_at_once_build_a_part_once(workshop: Workshop) -> None:
    """The second run waits for the first and takes what it made."""
    workshop.add("slow-1.0", "sleep 1; " + greeter("slow"))
    runs = [workshop.start(), workshop.start()]

    assert [0, 0] == [run.wait() for run in runs]
    assert ["slow-1.0"] == workshop.builds()


def test_a_changed_recipe_is_built_anew_beside_the_old(workshop: Workshop) -> None:
    """The old folder stays for checkouts that still have the old recipe."""
    workshop.add("greeter-1.0")
    workshop.run()
    old = workshop.find("greeter-1.0")

    workshop.add("greeter-1.0", greeter("the new one"))

    assert isinstance(workshop.find("greeter-1.0"), Missing)
    workshop.run()
    new = workshop.find("greeter-1.0")
    assert isinstance(new, Path)
    assert isinstance(old, Path)
    assert old != new
    assert old.is_dir()


def test_a_changed_file_beside_a_recipe_is_built_anew(workshop: Workshop) -> None:
    """A recipe's files decide its part as much as its keys do."""
    (workshop.recipes / "pom.xml").write_text("one")
    workshop.add("greeter-1.0", extra='files = ["pom.xml"]')
    workshop.run()

    (workshop.recipes / "pom.xml").write_text("two")

    assert isinstance(workshop.find("greeter-1.0"), Missing)


def test_a_changed_description_builds_nothing(workshop: Workshop) -> None:
    """Words for people do not decide a build."""
    workshop.add("greeter-1.0")
    workshop.run()
    recipe = workshop.file("greeter-1.0")

    recipe.write_text(recipe.read_text().replace("a fake", "a better description"))

    assert isinstance(workshop.find("greeter-1.0"), Path)


def test_a_part_that_says_the_wrong_version_is_refused(workshop: Workshop) -> None:
    """A check that fails leaves no part."""
    workshop.add("greeter-1.0")
    with workshop.file("greeter-1.0").open("a") as recipe:
        recipe.write('[[check]]\nrun = ["greet"]\nsays = "version 2"\n')

    done = workshop.run()

    assert 1 == done.returncode
    assert "`greet` does not say 'version 2'" in done.stderr
    assert isinstance(workshop.find("greeter-1.0"), Missing)


def test_a_missing_tool_is_named(workshop: Workshop) -> None:
    """A machine without Go or Java learns what it lacks, from the run and from the lookup."""
    workshop.add("greeter-1.0")
    recipe = workshop.file("greeter-1.0")
    recipe.write_text(recipe.read_text().replace('tools = ["sh"]', 'tools = ["nosuchtool"]'))

    done = workshop.run()

    assert 1 == done.returncode
    assert "it needs nosuchtool, which cannot be found on PATH" in done.stderr
    missing = workshop.find("greeter-1.0")
    assert isinstance(missing, Missing)
    assert (
        "greeter-1.0: not in the cache of test servers; `make servers` fetches it "
        "(takes no time) once nosuchtool can be found on PATH"
    ) == str(missing)


def test_only_chooses_by_the_start_of_the_name(workshop: Workshop) -> None:
    """Other parts are neither built nor mentioned."""
    workshop.add("greeter-1.0")
    workshop.add("other-1.0")

    done = workshop.run("--only", "greet")

    assert 0 == done.returncode
    assert ["greeter-1.0"] == workshop.builds()
    assert "other" not in done.stderr


def test_an_unknown_name_lists_the_known_ones(workshop: Workshop) -> None:
    """A typing error is a wrong call, not an empty success."""
    workshop.add("greeter-1.0")

    done = workshop.run("--only", "greeer")

    assert 2 == done.returncode
    assert "no part starts with greeer; there are greeter-1.0" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "built"),
    [
        ((), {}, ["greeter-1.0"]),
        (("--peers",), {}, ["greeter-1.0", "peer-1.0"]),
        ((), {"PEERS": "1"}, ["greeter-1.0", "peer-1.0"]),
        (("--only", "peer"), {}, ["peer-1.0"]),
    ],
)
def test_peers_are_built_when_asked_for(
    workshop: Workshop, arguments: tuple[str, ...], environment: dict[str, str], built: list[str]
) -> None:
    """By flag, by PEERS=1, or by name."""
    workshop.add("greeter-1.0")
    workshop.add("peer-1.0", extra="peer = true")

    workshop.run(*arguments, **environment)

    assert built == workshop.builds()


def test_list_shows_each_part_and_builds_nothing(workshop: Workshop) -> None:
    """A part's line has its state and, when it is ready, its folder."""
    workshop.add("greeter-1.0")
    workshop.add("other-1.0")
    workshop.run("--only", "greeter")

    done = workshop.run("--list")

    greeter, other = done.stdout.splitlines()
    assert ["greeter-1.0", "ready"] == greeter.split()[:2]
    assert greeter.endswith(str(workshop.find("greeter-1.0")))
    assert ["other-1.0", "missing"] == other.split()[:2]
    assert ["greeter-1.0"] == workshop.builds()


def test_a_recipe_with_an_unknown_key_is_refused_by_name(workshop: Workshop) -> None:
    """A key that nothing reads would be a promise that nothing keeps."""
    workshop.add("greeter-1.0", extra="verison = 1")

    with pytest.raises(RecipeError, match=r"greeter-1\.0\.toml: .*verison"):
        load_recipe(workshop.file("greeter-1.0"))


def test_every_recipe_of_the_project_can_be_read() -> None:
    """Each says what it is, how long it takes, and checks what it built."""
    for recipe in load_recipes().values():
        assert recipe.about, recipe.name
        assert recipe.takes, recipe.name
        assert recipe.checks, recipe.name


def test_looking_up_an_unknown_part_is_an_error() -> None:
    """A wrong name in a test must not look like a server that is not there."""
    with pytest.raises(KeyError):
        find("prometheus-9.99")


def test_the_command_runs_without_the_virtual_environment(tmp_path: Path) -> None:
    """It is what fetches things on a fresh machine: the standard library is all it has."""
    program = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}]; "
        "from tests.servers.provision.__main__ import main; sys.exit(main(['--list']))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    assert "prometheus-2.42      missing" in done.stdout
