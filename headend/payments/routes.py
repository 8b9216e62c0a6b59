"""The three addresses of the biller API (IW-76): inquire → notify → status. Every request is signed."""

from aiohttp import web

from headend.api.endpoint import BY_SIGNATURE, Endpoint
from headend.payments.inquire import inquire
from headend.payments.serve import serve_notify, serve_question
from headend.payments.shapes import Notification, NotificationAnswer, ProviderPath
from headend.payments.status import status
from headend.storage.writer import Tx

BODY_BYTES_MAX = 16 * 1024


def notify(tx: Tx, path: ProviderPath, body: Notification) -> NotificationAnswer:
    """Report a payment. A validly signed report is stored first, whatever it says, and answered `credited`, `duplicate`
    or `suspense`, never refused: repeat it until it is answered.
    """
    raise AssertionError("served step by step by serve_notify; this row only says what goes in and out")


INQUIRE = Endpoint(
    "POST",
    "/biller/v1/{provider}/inquire",
    inquire,
    "May this account be paid?",
    "Biller",
    security=BY_SIGNATURE,
    body_bytes_max=BODY_BYTES_MAX,
)
NOTIFY = Endpoint(
    "POST",
    "/biller/v1/{provider}/notify",
    notify,
    "Money has been paid",
    "Biller",
    security=BY_SIGNATURE,
    body_bytes_max=BODY_BYTES_MAX,
    takes_any_body=True,
)
STATUS = Endpoint(
    "GET",
    "/biller/v1/{provider}/status/{transaction_id}",
    status,
    "Where does the money stand?",
    "Biller",
    security=BY_SIGNATURE,
    refusals=("unknown_transaction",),
)
ENDPOINTS = (INQUIRE, NOTIFY, STATUS)


def add_routes(app: web.Application) -> None:
    app.router.add_post(INQUIRE.path, serve_question(INQUIRE))
    app.router.add_post(NOTIFY.path, serve_notify(NOTIFY))
    app.router.add_get(STATUS.path, serve_question(STATUS))
