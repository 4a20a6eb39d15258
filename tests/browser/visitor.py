"""Somebody at a window: does what people do, and notes what they would not see."""

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: pip install playwright")
expect = sync_api.expect
PATIENCE = 15_000  # milliseconds
FAR = 200  # elements from one to the next
expect.set_options(timeout=PATIENCE)


class Visitor:
    """A page and what went wrong in it: errors of scripts, refused content, answers from 400 on."""

    def __init__(self, page):
        self.page = page
        page.set_default_timeout(PATIENCE)
        self.troubles = []
        page.on("pageerror", lambda error: self.troubles.append(f"{page.url}: {error}"))
        page.on("console", self._listen)
        page.on("response", self._look)

    def go(self, path):
        self.page.goto(path)

    def log_in(self, name, password):
        """Fill in the form that is there."""
        self.page.get_by_label("Username:").fill(name)
        self.page.get_by_label("Password:").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("button", name="Log out")).to_be_visible()

    def click(self, name, role="link", *, exact=True):
        """Click the first that has this name."""
        self.page.get_by_role(role, name=name, exact=exact).first.click()

    def tab_to(self, wanted):
        """Press Tab until an element has the focus."""
        expect(wanted).to_be_attached()
        for _ in range(FAR):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"Tab does not lead to {wanted}.")

    def filter(self, *choices):
        """Click choices of the filter beside a list, one after the other."""
        beside = self.page.locator("#changelist-filter")
        for choice in choices:
            beside.get_by_role("link", name=choice, exact=True).first.click()

    def sees(self, text):
        expect(self.page.get_by_role("main").get_by_text(text).locator("visible=true").first).to_be_visible()

    def is_at(self, heading):
        """Wait until a page has this heading."""
        expect(self.page.get_by_role("heading", level=1, name=heading)).to_be_visible()

    def table(self, heading):
        """Return the rows of the table below a heading, each as the texts of its cells."""
        rows = self.page.get_by_role("region", name=heading).get_by_role("row").all()
        return [[cell.inner_text().strip() for cell in row.locator("th, td").all()] for row in rows]

    def is_cut_off(self):
        """Whether the page is wider than the window, so that it scrolls sideways."""
        return self.page.evaluate("document.documentElement.scrollWidth > innerWidth")

    def _listen(self, message):
        if message.type in {"error", "warning"} and not _is_icon(message.location["url"]):
            self.troubles.append(f"{self.page.url}: {message.text}")

    def _look(self, response):
        if response.status >= 400 and not _is_icon(response.url):
            self.troubles.append(f"{response.url}: {response.status}")


def _is_icon(address):
    """Browsers ask for one by themselves."""
    return address.endswith("/favicon.ico")
