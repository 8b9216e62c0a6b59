"""The live page: whole without JavaScript, in French and English, safe against what people type; and its stream."""

import asyncio
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from headend.api.store import STORE
from headend.storage.tables import meter_link
from headend.web import pages, texts
from headend.web.facts import MeterEvent, natural
from headend.web.health import check_books
from headend.web.meter_events import told
from headend.web.past import past
from headend.web.story import Story
from headend.web.view import Books, bars_path, gap_count, gaps_path
from protocol.wire import event_codes
from tests.api.conftest import METER, House, payment
from tests.api.test_series import a_meter, advance, send

VOID = {"meta", "link", "img", "br"}


class Outline(HTMLParser):
    """The text of a page and a check that its elements nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name == "style" or name.startswith("on")], "inline style or script"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(word for word in self.words if word)


async def read(house: House, path: str = "/", **headers: str) -> Outline:
    answer = await house.ask("GET", path, **headers)
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
    outline = Outline()
    outline.feed(answer.text)
    assert outline.open == []
    return outline


async def test_the_page_tells_all_without_javascript(house: House) -> None:
    meter = await a_meter(house)
    meter.use([5, 0, 3, 8])
    await house.notify(payment())
    advance(house.clock, 4)
    await send(house, meter.report(0, 4))
    french = (await read(house, "/?lang=fr")).text
    for words in (
        "Concession 1",
        "Ouverte",
        "497 F\u00a0CFA".replace("\u00a0", " "),
        "L’eau est ouverte : il reste du crédit.",
        "16 L",
        "22:00",
        "a payé 500 F CFA par wave",
        "« Niger 2006 » est publié",
        "équilibrés",
        "chaîne intacte",
        "compteurs et livres d’accord : 1/1",
        "temps simulé",
    ):
        assert words in french.replace("\u00a0", " "), words
    english = (await read(house, "/?lang=en")).text
    for words in ("Open", "Water is on: there is credit left.", "paid 500", "balanced", "meters and books agree: 1/1"):
        assert words in english, words


async def test_homes_stand_in_the_order_of_their_house_numbers(house: House) -> None:
    """Whatever the order they were added in: 2 before 10, and names without regard to capitals."""
    await house.settle_in()
    for number, place in enumerate(("10 rue du Fleuve", "2 rue du Fleuve", "école 3"), 2):
        meter = {"meter_id": f"{number:016x}", "holder": "A", "service_point": place, "tariff_code": "niger"}
        assert (await house.post("/v1/meters", meter)).status == 201
    page = (await read(house)).text
    order = ("2 rue du Fleuve", "10 rue du Fleuve", "Concession 1", "école 3")
    assert sorted(order, key=page.index) == list(order)
    assert natural("1" * 40 + "²٣") != natural("1" * 39), "any digits at all"


async def test_language_follows_the_browser_unless_asked_otherwise(house: House) -> None:
    assert "Homes" in (await read(house, "/", accept_language="en-GB")).text
    assert "Foyers" in (await read(house, "/", accept_language="fr")).text
    assert "Foyers" in (await read(house, "/")).text
    assert "Foyers" in (await read(house, "/?lang=fr", accept_language="en")).text
    assert "Foyers" in (await read(house, "/?lang=xx")).text


def test_both_languages_say_everything() -> None:
    assert texts.TEXTS["fr"].keys() == texts.TEXTS["en"].keys()
    assert all(texts.TEXTS["fr"].values()) and all(texts.TEXTS["en"].values())


async def test_what_people_type_is_shown_and_never_run(house: House) -> None:
    """Reliability A8: markup in a name is text; the page has one script, ours."""
    await house.post("/v1/tariffs", TARIFF)
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"
    body = {"meter_id": METER, "holder": evil, "service_point": evil, "tariff_code": "niger"}
    assert (await house.post("/v1/meters", body)).status == 201
    story = {"at_unix_s": 1_771_700_400, "who": evil, "what_fr": evil, "what_en": evil}
    assert (await house.post("/sim/story", story)).status == 201
    page = await read(house)
    assert page.tags.count("script") == 1 and page.tags.count("img") == 1
    assert "alert(1)" in page.text and "{{7*7}}" in page.text


TARIFF: dict[str, Any] = {
    "code": "niger",
    "title": "Niger 2006",
    "valid_from": "2026-01-01T00:00:00Z",
    "prices": {"blocks": [{"upto_l": 0, "price": 127}], "utc_offset_minutes": 60},
}


async def test_nothing_of_the_page_comes_from_elsewhere(house: House) -> None:
    answer = await house.ask("GET", "/")
    assert "http://" not in answer.text and "https://" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    for rule in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
    ):
        assert rule in policy
    for name in ("guelta.css", "guelta.js", "drop.svg"):
        assert (await house.ask("GET", f"/static/{name}")).status == 200
    for name in ("..%2fpages.py", "nothing.css", "%00"):
        assert (await house.ask("GET", f"/static/{name}")).status == 404


async def test_first_view_is_light(house: House) -> None:
    """DESIGN §8 asks ≤ 40 KB gzip for a customer's first view; this page with its files is held to the same."""
    await house.settle_in()
    sizes = 0
    for path in ("/", "/static/guelta.css", "/static/guelta.js", "/static/drop.svg"):
        async with house.session.get(
            house.url + path, headers={"Accept-Encoding": "gzip"}, auto_decompress=False
        ) as answer:
            sizes += len(await answer.read())
    assert sizes <= 40_000


async def events_of(house: House, path: str, count: int, **headers: str) -> list[tuple[str, str, str]]:
    """The first `count` events as (event, id, HTML)."""
    found: list[tuple[str, str, str]] = []
    fields: dict[str, str] = {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with house.session.get(house.url + path, headers=named) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        while len(found) < count:
            line = (await asyncio.wait_for(response.content.readline(), 10)).decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                found.append((fields["event"], fields.get("id", ""), json.loads(fields["data"])))
                fields = {}
            else:
                fields = {}
    return found


async def test_a_payment_reaches_an_open_page(house: House) -> None:
    """Server-sent events: the line in the reader's language, then the card with the new balance."""
    await house.settle_in()
    listening = asyncio.create_task(events_of(house, "/events?lang=en", 8))
    await asyncio.sleep(0.3)
    await house.notify(payment())
    events = await listening
    kinds = [kind for kind, _, _ in events]
    assert kinds[:5] == ["story", "fragment", "fragment", "fragment", "home"]
    lines = [html for kind, _, html in events if kind == "story"]
    assert "paid 500 F" in lines[-1] and "statement no. 1" in lines[-1]
    assert any("<b>500</b>" in html for kind, _, html in events[5:] if kind != "story")


async def test_a_reader_who_comes_back_gets_what_was_missed(house: House) -> None:
    await house.settle_in()
    for number in range(3):
        story = {"at_unix_s": 1_771_700_400, "who": "Ville", "what_fr": f"ligne {number}", "what_en": f"line {number}"}
        last = (await house.post("/sim/story", story)).json["number"]
    missed = await events_of(house, "/events?lang=fr", 1, last_event_id=str(last - 1))
    assert missed[0][1] == str(last) and "ligne 2" in missed[0][2]
    from_page = await events_of(house, f"/events?lang=fr&after={last - 2}", 2)
    assert [number for _, number, _ in from_page] == [str(last - 1), str(last)]


async def test_what_a_meter_reports_becomes_a_line_with_its_reason(house: House) -> None:
    meter = await a_meter(house)
    await read(house)
    at = house.clock.unix_us() // 1_000_000
    await send(house, meter.event(event_codes.VALVE_CLOSED, 1, 32, at), meter.event(event_codes.LEAK, 2, 7, at))
    page = (await read(house, "/?lang=en")).text
    assert "the valve closes. Water is off: credit is used up. A payment opens it again." in page
    assert "leak: water has not stopped for 24 hours." in page
    shown = await house.meter()
    assert (shown["reason"], shown["valve"]) == (32, "closed")
    await send(house, meter.event(event_codes.VALVE_OPENED, 3, 1, at))
    assert (await house.meter())["valve"] == "open"


async def test_a_restarted_headend_recalls_what_happened(house: House) -> None:
    """The story of before a restart is on a fresh page, from the books; an open page is not told it again."""
    meter = await a_meter(house)
    await house.notify(payment())
    await send(house, meter.event(event_codes.LEAK, 1, 7, house.clock.unix_us() // 1_000_000))
    lines = await house.started.app[STORE].read(past)
    assert [line.what_en.split(";")[0] for line in lines] == [
        "paid 500 F\u00a0CFA through wave",
        "leak: water has not stopped for 24 hours.",
    ]
    story = Story(first_number=1000)
    story.recall(lines)
    assert [line.number for line in story.shown()] == [-2, -1] and story.lines() == []


async def test_a_broken_chain_shows_on_the_page(house: House) -> None:
    await house.settle_in()
    store = house.started.app[STORE]
    good = await store.read(lambda connection: check_books(connection, None))
    assert (good.balanced, good.chain_ok) == (True, True)
    forged = replace(good, last_batch=good.last_batch - 1, last_hash=bytes(32))
    assert (await store.read(lambda connection: check_books(connection, forged))).chain_ok is False
    assert (
        Books(1, True, True, 1, 1).good and not Books(1, True, False, 1, 1).good and not Books(1, True, True, 0, 1).good
    )


async def test_a_closed_valve_and_its_alarms_are_on_the_card(house: House) -> None:
    """The status byte of the last frame: closed, low credit, leak and low battery."""
    meter = await a_meter(house)
    await send(house, meter.poll())
    store = house.started.app[STORE]
    status = 1 | 1 << 2 | 1 << 3 | 1 << 6
    await store.write(lambda tx: tx.connection.execute(meter_link.update().values(status=status)))
    page = (await read(house, "/?lang=fr")).text
    for words in ("Fermée", "crédit faible", "fuite", "pile faible"):
        assert words in page
    shown = (await house.get("/v1/meters")).json["items"][0]
    assert (shown["valve"], shown["low_credit"], shown["alarms"]) == ("closed", True, ["leak", "low_battery"])


async def test_story_lines_are_checked(house: House) -> None:
    line = {"at_unix_s": 1_771_700_400, "who": "Ville", "what_fr": "une fuite", "what_en": "a leak"}
    for change in ({"tone": "loud"}, {"who": ""}, {"what_fr": "x" * 301}, {"at_unix_s": -1}, {"more": 1}):
        refused = await house.post("/sim/story", {**line, **change})
        assert (refused.status, refused.code) == (400, "invalid_body"), change


async def test_the_page_is_for_this_machine(house: House) -> None:
    """No sign-in exists yet: through a proxy, or for another machine, there is no page."""
    for header in ("Forwarded", "X-Forwarded-For", "X-Real-IP"):
        refused = await house.ask("GET", "/", **{header: "192.0.2.7"})
        assert (refused.status, refused.code) == (403, "page_on_this_machine_only")


@pytest.mark.parametrize("mode", ["production"])
async def test_production_shows_the_true_time_unmarked(house: House) -> None:
    assert "temps simulé" not in (await read(house)).text


def test_a_gap_is_drawn_as_a_gap() -> None:
    """CT-15 on the page: nothing is missing before the meter's time, the last hour may be on its way, zero is known."""
    litres = [None, None, 0, None, 40, None, None]
    assert gap_count(litres, before=2) == 1
    assert gaps_path(litres, before=2) == "M3 0h1v20h-1z"
    assert bars_path(litres) == "M4 20h.8v-20h-.8z"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_numbers_and_money_as_people_write_them(language: str) -> None:
    space = "\u202f" if language == "fr" else ","
    point = "," if language == "fr" else "."
    assert texts.money(1_234_567, 0, language) == f"1{space}234{space}567"
    assert texts.money(-1_234_567, 2, language) == f"−12{space}345{point}67"
    assert texts.money(5, 3, language) == f"0{point}005"
    assert texts.number(-85, language) == "−85"


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(theme: int) -> None:
    style = (Path(pages.__file__).parent / "static" / "guelta.css").read_text()
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", style.split(":root {")[1 + theme].split("}")[0]))
    pairs = [(text, ground) for text in ("ink", "soft", "water") for ground in ("ground", "card")]
    pairs += [(tone, f"{tone}-ground") for tone in ("water", "bad", "warn")]
    pairs += [("soft", "plain-ground"), ("ink", "plain-ground"), ("bad", "card")]
    low = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}


def test_every_event_that_a_meter_may_report_has_a_sentence() -> None:
    """A number is no news to an operator; a code that a newer meter sends is still shown."""
    for name in (name for name in dir(event_codes) if name.isupper()):
        line = told(MeterEvent(1, "Home", 0, getattr(event_codes, name), 1))
        assert "l’événement" not in line.what_fr and "event no." not in line.what_en, name
    assert "n° 99" in told(MeterEvent(1, "Home", 0, 99, 1)).what_fr
