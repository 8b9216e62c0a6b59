"""Where the price of a slot may change within a run: looking there finds what looking at each slot finds."""

from hypothesis import given
from hypothesis import strategies as st

from headend.billing.knowledge import Knowledge
from headend.billing.published import Known
from headend.meters.lookup import Contract

PRINTED = '{"blocks": [[0, %d]], "utc_offset_minutes": 60}'
SLOT = 100_000
STARTS = st.integers(SLOT - 60, SLOT + 60)


@st.composite
def knowledge(draw: st.DrawFn) -> Knowledge:
    starts = sorted(draw(st.lists(STARTS, min_size=1, max_size=3, unique=True)))
    contracts = tuple(Contract(number, b"\1" * 8, start, "home", 1) for number, start in enumerate(starts))
    prorated = draw(st.sampled_from((0, 0, 0, 1)))
    tariffs = [
        Known(number, start, "waive", PRINTED % (100 + number), number, 7, prorated)
        for number, start in enumerate(draw(st.lists(STARTS, max_size=4)))
    ]
    preferred = sorted(tariffs, key=lambda known: (known.valid_from_slot, known.tariff_id), reverse=True)
    return Knowledge(contracts, {"home": tuple(preferred)})


@given(knowledge(), st.integers(0, 48))
def test_between_turns_every_slot_has_the_price_of_the_turn_before(known: Knowledge, slots: int) -> None:
    turns = known.turns(SLOT, SLOT + slots)
    assert turns == sorted(set(turns) & set(range(SLOT, SLOT + slots)))
    for slot in range(SLOT, SLOT + slots):
        turn = max(turn for turn in turns if turn <= slot)
        assert known.at(slot) == known.at(turn)
        assert known.is_prorated(known.at(slot), slot) == known.is_prorated(known.at(turn), turn)
