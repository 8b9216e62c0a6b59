"""What a provider sends and what it is answered."""

from typing import Annotated

from msgspec import Meta

from headend.api.shapes import CurrencyCode, Instant, Money, Request, Response

ProviderName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9-]{1,39}(?![\s\S])",
        description="as given to `guelta provider add`",
        examples=["wave"],
    ),
]
TransactionId = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,64}(?![\s\S])", description="the provider's own number, unique for ever")
]
# What people typed, as they typed it: a wrong number is answered, not refused.
Account = Annotated[
    str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,64}(?![\s\S])", description="the customer number as typed")
]
Amount = Annotated[
    Annotated[int, Meta(ge=-(10**18), le=10**18)] | Annotated[str, Meta(max_length=24)],
    Meta(
        description='an integer of minor units, or a decimal string of the currency: 50025 or "500.25" Kenyan shillings'
    ),
]


class ProviderPath(Request):
    provider: ProviderName


class TransactionPath(Request):
    provider: ProviderName
    transaction_id: TransactionId


class Inquiry(Request):
    """May this account be paid, and whose is it?"""

    account: Account
    amount: Amount | None = None
    currency: CurrencyCode | None = None


class Reason(Response):
    """Why not: a stable number and name, and a sentence to show to the payer."""

    number: int
    code: str
    text_fr: str
    text_en: str


class InquiryAnswer(Response):
    """`accepted` with the masked holder; or refused with a reason. The limits hold for this provider."""

    accepted: bool
    reason: Reason | None
    holder: str | None
    minimum: Money
    ceiling: Money


class Notification(Request, frozen=True, forbid_unknown_fields=False):
    """Money has been paid. Sent as often as needed until answered; each transaction counts once.

    Fields we do not know are no reason to keep a payer waiting: providers add them as they go.
    """

    transaction_id: TransactionId
    account: Account
    amount: Amount
    currency: CurrencyCode
    paid_at: Instant
    payer: Annotated[str, Meta(max_length=80)] = ""


class NotificationAnswer(Response):
    """`credited`, `duplicate` (this transaction was here before) or `suspense` (kept; a person will match it)."""

    outcome: str
    transaction_id: str | None
    reason: str | None
    payment: int | None
    statement_number: int | None


class StatusAnswer(Response):
    """Where a transaction's money stands now."""

    outcome: str
    transaction_id: str
    payment: int | None
    money: Money | None
    statement_number: int | None
    received_at: Instant
