"""The parts that other tests build on: the collector knows its components, the browser draws."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

# All that Headroom's configurations name, with what each needs before `validate` accepts it.
RECEIVERS: Mapping[str, Any] = {
    "otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:4318"}}},
    "filelog": {"include": ["/nowhere/*.log"], "storage": "file_storage"},
    "syslog": {"protocol": "rfc5424", "tcp": {"listen_address": "127.0.0.1:5514"}},
}
PROCESSORS: Mapping[str, Any] = {
    "memory_limiter": {"check_interval": "1s", "limit_mib": 100},
    "k8sattributes": {"auth_type": "none"},
    "resource": {"attributes": [{"key": "team", "value": "${env:TEAM:-none}", "action": "upsert"}]},
    "filter": {"log_conditions": ['IsMatch(log.body, "health")']},
    "redaction": {"allow_all_keys": True, "blocked_values": ["key=\\w+"]},
    "attributes": {"actions": [{"key": "secret", "action": "delete"}]},
    "transform": {"log_statements": ['set(log.attributes["a"], "b")']},
    "batch": {},
}
# Each is an exporter of one pipeline and a receiver of another.
CONNECTORS: Mapping[str, Any] = {"forward": {}}
EXPORTERS: Mapping[str, Any] = {
    "otlp": {"endpoint": "127.0.0.1:4317"},
    "otlphttp": {"endpoint": "http://127.0.0.1:4318"},
    "file": {"path": "{folder}/out.json"},
    "debug": {},
}
PAGE = """<!doctype html><title>A page</title>
<p style="font: 40px sans-serif"><span id="wide">WWWWWWWW</span> <span id="thin">iiiiiiii</span></p>
<button onclick="this.textContent = 'pressed'">press</button>
"""


def configuration(folder: Path, **changes: Any) -> str:
    """Return a configuration of all components; JSON is YAML to the collector."""
    config = {
        "receivers": RECEIVERS,
        "processors": PROCESSORS,
        "connectors": CONNECTORS,
        "exporters": EXPORTERS,
        "extensions": {
            "file_storage": {"directory": "{folder}"},
            "health_check": {"endpoint": "127.0.0.1:13133"},
        },
        "service": {
            "extensions": ["file_storage", "health_check"],
            "pipelines": {
                "logs": {
                    "receivers": list(RECEIVERS),
                    "processors": list(PROCESSORS),
                    "exporters": [*EXPORTERS, *CONNECTORS],
                },
                "logs/forwarded": {"receivers": ["forward"], "exporters": ["debug"]},
            },
        },
        **changes,
    }
    return json.dumps(config).replace("{folder}", str(folder))


def validate(otelcol: Path, text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``otelcol validate`` on a configuration."""
    file = folder / "otelcol.yaml"
    file.write_text(text)
    return subprocess.run(
        [otelcol, "validate", f"--config=file:{file}"], capture_output=True, text=True, check=False
    )


def test_the_collector_accepts_a_configuration_of_all_its_components(
    otelcol: Path, tmp_path: Path
) -> None:
    """Everything that Headroom generates can be validated by the real program."""
    done = validate(otelcol, configuration(tmp_path), tmp_path)

    assert (0, "") == (done.returncode, done.stdout), done.stderr


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"receivers": {**RECEIVERS, "carbon": {}}}, 'unknown type: "carbon"'),
        ({"processors": {**PROCESSORS, "batch": {"timeuot": "1s"}}}, "timeuot"),
        ({"exporters": {**EXPORTERS, "debug": {"verbosity": "loud"}}}, "loud"),
    ],
)
def test_the_collector_refuses_what_it_does_not_know(
    otelcol: Path, tmp_path: Path, changes: Mapping[str, Any], said: str
) -> None:
    """Its acceptance means something: components, keys and values are all looked at."""
    done = validate(otelcol, configuration(tmp_path, **changes), tmp_path)

    assert 1 == done.returncode
    assert said in done.stderr


def test_the_browser_tells_its_version(chromium: Path) -> None:
    """Whether it comes from the system or from the cache, it runs by its plain name."""
    done = subprocess.run([chromium, "--version"], capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stderr
    assert done.stdout.startswith("Chromium ")


def test_a_page_opens_answers_a_click_and_is_drawn_with_a_real_font(
    chromium: Path, tmp_path: Path
) -> None:
    """Without fonts no text has a width, so widths that differ show that one is there."""
    page_file = tmp_path / "page.html"
    page_file.write_text(PAGE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_page()
        page.goto(page_file.as_uri())
        page.get_by_role("button").click()
        pressed = page.get_by_role("button").inner_text()
        wide, thin = page.locator("#wide").bounding_box(), page.locator("#thin").bounding_box()
        shot = page.screenshot()
        browser.close()

    assert "pressed" == pressed
    assert shot.startswith(b"\x89PNG")
    assert wide is not None
    assert thin is not None
    assert wide["width"] > 2 * thin["width"]
