"""CT-29: the count of active points per month, by which a running cost per connected point is told."""

from tests.api.conftest import House
from tests.api.test_series import a_meter, advance, send

OTHER = {
    "meter_id": "00000000000000aa",
    "holder": "Moussa Issa",
    "service_point": "Concession 2",
    "tariff_code": "niger",
}


async def test_a_point_is_active_in_the_months_in_which_it_was_heard(house: House) -> None:
    """CT-29: two meters; one speaks in February, none in March: connected stays two, active goes 1, 0."""
    meter = await a_meter(house)
    assert (await house.post("/v1/meters", OTHER)).status == 201
    meter.use([5, 6])
    advance(house.clock, 2)
    await send(house, meter.report(0, 2))
    answer = await house.get("/v1/active-points?first=2026-01&last=2026-03")
    assert answer.json == {
        "items": [
            {"month": "2026-01", "connected": 0, "active": 0},
            {"month": "2026-02", "connected": 2, "active": 1},
            {"month": "2026-03", "connected": 2, "active": 0},
        ]
    }


async def test_months_that_run_backwards_or_are_too_many_are_refused(house: House) -> None:
    for first, last in (("2026-11", "2026-10"), ("2023-01", "2026-01")):
        refused = await house.get(f"/v1/active-points?first={first}&last={last}")
        assert (refused.status, refused.code) == (400, "invalid_query")
        assert refused.json["errors"][0]["pointer"] == "?last"
    assert (await house.get("/v1/active-points?first=2026-13&last=2026-14")).code == "invalid_query"
