"""A real browser for tests: Debian's Chromium, driven by Playwright, without a network."""

import contextlib
import shutil

import pytest

FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def needed():
    """Chromium's path; skips the test where there is none, or nothing to drive it."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("there is no Chromium (Debian: apt install chromium)")
    return path


@contextlib.contextmanager
def opened():
    """A browser."""
    path = needed()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextlib.contextmanager
def looking_at(browser, path, scripts=True, scheme="light", width=1100):
    """A page from a file; nothing may have been said on its console or asked of a network."""
    context = browser.new_context(
        java_script_enabled=scripts, offline=True, color_scheme=scheme,
        viewport={"width": width, "height": 900},
    )  # fmt: skip
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append("a dialog"), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    yield page
    assert said == []
    assert {url for url in asked if not url.startswith("data:")} == {path.as_uri()}
    context.close()
