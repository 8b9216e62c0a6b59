"""What is known of a meter's prices: its holders and the tariffs of their codes, now or as of an instant.

Rating again reads nothing else, so what would be after a publication is rated as what is: with one tariff more.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from headend.billing.published import Known, Rates, known_at, rates_of, timeline
from headend.meters.lookup import Contract, contracts_of
from headend.storage.writer import Tx
from protocol.rules.calendar import local_month

# Rises that no tariff speaks for: before the first start of a code its meters' packs are believed.
_UNSAID = "waive"


class Priced(NamedTuple):
    """A slot's price by what is known: `rates` is None before the first start of the holder's tariff code."""

    contract: Contract
    tariff: Known | None
    rates: Rates | None
    late: str


@dataclass(frozen=True)
class Knowledge:
    """Holders in order of their start, and per tariff code all that is known of it, the one to prefer first."""

    contracts: tuple[Contract, ...]
    tariffs: dict[str, tuple[Known, ...]]

    def at(self, slot: int) -> Priced:
        """The price of a slot."""
        contract = contract_at(self.contracts, slot)
        tariff = known_at(self.tariffs[contract.tariff_code], slot)
        if tariff is None:
            return Priced(contract, None, None, _UNSAID)
        return Priced(contract, tariff, rates_of(tariff.printed, contract.households), tariff.late)

    def turns(self, first_slot: int, end_slot: int) -> list[int]:
        """The slots of a run at which its price may be another than before: the first one, a holder's or a tariff's
        first; every slot where some tariff is borne in part, since months count there."""
        everything = [known for all_known in self.tariffs.values() for known in all_known]
        if any(known.prorated for known in everything):
            return list(range(first_slot, end_slot))
        starts = {contract.start_slot for contract in self.contracts} | {known.valid_from_slot for known in everything}
        return sorted(slot for slot in {first_slot, *starts} if first_slot <= slot < end_slot)

    def is_prorated(self, priced: Priced, slot: int) -> bool:
        """Whether a slot lies in a local month that its holder only bears in part (CT-09)."""
        if priced.tariff is None or priced.rates is None or not priced.tariff.prorated:
            return False
        offsets = priced.rates.tariff.offsets
        return bool(local_month(slot, offsets) == local_month(priced.contract.start_slot, offsets))

    def notice_days(self, contract_id: int) -> int:
        """The longest notice that any tariff of this holder promises."""
        codes = {contract.tariff_code for contract in self.contracts if contract.contract_id == contract_id}
        return max((known.notice_days for code in codes for known in self.tariffs[code]), default=0)

    @cached_property
    def newest_tariff_id(self) -> int:
        return max((known.tariff_id for all_known in self.tariffs.values() for known in all_known), default=0)

    def says_new(self, since_tariff_id: int, upto_slot: int) -> bool:
        """Whether any tariff newer than that one changes prices up to and with a slot."""
        return any(
            known.tariff_id > since_tariff_id and known.valid_from_slot <= upto_slot
            for all_known in self.tariffs.values()
            for known in all_known
        )

    def with_draft(self, code: str, draft: Known) -> "Knowledge":
        """The same as it would be with one tariff more, known last."""
        if code not in self.tariffs:
            return self
        later = [known for known in self.tariffs[code] if known.valid_from_slot > draft.valid_from_slot]
        rest = self.tariffs[code][len(later) :]
        return Knowledge(self.contracts, {**self.tariffs, code: (*later, draft, *rest)})


def knowledge_of(tx: Tx, meter_id: bytes, known_us: int | None = None) -> Knowledge:
    """What is known of a meter by now, or what was known by an instant."""
    contracts = tuple(contracts_of(tx, meter_id))
    codes = {contract.tariff_code for contract in contracts}
    return Knowledge(contracts, {code: timeline(tx, code, known_us) for code in sorted(codes)})


def contract_at(contracts: tuple[Contract, ...] | list[Contract], slot: int) -> Contract:
    """The holder of a slot; slots before the first contract are the first holder's."""
    return next((contract for contract in reversed(contracts) if contract.start_slot <= slot), contracts[0])
