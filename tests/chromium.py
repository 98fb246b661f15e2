"""Debian's Chromium without a window, as the tests of pages use it, and axe-core, which looks for what bars people."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

_PROGRAMS = shutil.which("chromium"), shutil.which("chromedriver")
PHONE = 360, 640
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1200,800"
)


def open_browser(profile: Path) -> Any:
    """A driver of a new Chromium, which keeps what pages say on its console; without one, the test is skipped."""
    if not all(_PROGRAMS):
        pytest.skip("there is no Chromium with its driver (on Debian: apt-get install chromium chromium-driver)")
    from selenium import webdriver

    binary, driver = _PROGRAMS
    options = webdriver.ChromeOptions()
    options.binary_location = str(binary)
    for flag in (*_FLAGS.split(), f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))


@contextmanager
def seen_as(browser: Any, *, is_dark: bool = False, size: tuple[int, int] | None = None) -> Iterator[None]:
    """The page as people see it who like it dark, or on another screen; without colours on their way to others."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
    still = {"name": "prefers-reduced-motion", "value": "reduce"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, still]})
    if size:
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def findings(browser: Any) -> list[str]:
    """What axe-core finds wrong with the page as it is, by all its rules: rule, how bad it is, and where."""
    # The package brings axe-core along; what it does with Playwright is not used.
    spec = find_spec("axe_playwright_python")
    assert spec
    assert spec.origin
    browser.execute_script(Path(spec.origin).with_name("axe.min.js").read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "const done = arguments[0]; axe.run().then((all) => done(all.violations), (error) => done([String(error)]));"
    )
    return [
        f"{one['id']} ({one['impact']}): {node['html']} {node['failureSummary']}" if isinstance(one, dict) else one
        for one in found
        for node in (one["nodes"] if isinstance(one, dict) else [one])
    ]


def findings_in_all_looks(browser: Any) -> dict[str, list[str]]:
    """What axe-core finds wrong with the page as it is, light and dark, on a desk and on a phone; {} if nothing."""
    found = {}
    for is_dark in (False, True):
        for size in (None, PHONE):
            with seen_as(browser, is_dark=is_dark, size=size):
                found[f"{'dark' if is_dark else 'light'}, {'phone' if size else 'desk'}"] = findings(browser)
                assert not is_wider_than_screen(browser)
    return {look: some for look, some in found.items() if some}


def is_wider_than_screen(browser: Any) -> bool:
    """Whether a person would have to scroll from side to side."""
    return browser.execute_script("return document.documentElement.scrollWidth > document.documentElement.clientWidth")
