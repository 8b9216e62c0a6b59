"""A payment provider in one file: inquire, then notify, each signed. Standard library only.

    python3 pay.py SECRET_FILE ACCOUNT AMOUNT [--provider wave] [--url http://127.0.0.1:8080] [--transaction TX1]

SECRET_FILE holds the line that `guelta provider add` printed (whsec_…); it is never given as an argument, because
arguments can be seen by every user of the machine. AMOUNT is in minor units. Giving the same --transaction again is
how a provider repeats itself: it is answered "duplicate", and nothing is credited twice. Exit code 1: refused.
"""

import argparse
import base64
import hashlib
import hmac
import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


def signed_post(url: str, secret: bytes, message: dict[str, Any]) -> dict[str, Any]:
    """Send a message with the headers of Standard Webhooks; the signature is over id, timestamp and the raw body."""
    body = json.dumps(message, ensure_ascii=False).encode()
    now_s = int(time.time())
    message_id = f"msg_{time.time_ns()}"
    tag = hmac.new(secret, f"{message_id}.{now_s}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(now_s),
        "webhook-signature": "v1," + base64.b64encode(tag).decode(),
    }
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as refused:
        sys.exit(f"{url}: {refused.code}: {refused.read().decode()}")
    except urllib.error.URLError as away:
        sys.exit(f"{url}: {away.reason}")


def tell(what: str, answer: dict[str, Any]) -> None:
    sys.stdout.write(f"{what}: {json.dumps(answer, ensure_ascii=False)}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Pay for water as a mobile-money operator would.")
    parser.add_argument("secret_file", type=Path)
    parser.add_argument("account", help="the customer number, 8 digits")
    parser.add_argument("amount", type=int, help="in minor units: 500 is 500 F CFA")
    parser.add_argument("--provider", default="wave")
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--transaction", default=f"TX{time.time_ns()}")
    asked = parser.parse_args()
    secret = base64.b64decode(asked.secret_file.read_text().strip().removeprefix("whsec_"))
    biller = f"{asked.url}/biller/v1/{asked.provider}"

    inquiry = signed_post(f"{biller}/inquire", secret, {"account": asked.account, "amount": asked.amount})
    tell("inquire", inquiry)
    if not inquiry["accepted"]:
        sys.exit(1)
    notification = {
        "transaction_id": asked.transaction,
        "account": asked.account,
        "amount": asked.amount,
        "currency": inquiry["minimum"]["currency"],
        "paid_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    tell("notify", signed_post(f"{biller}/notify", secret, notification))


if __name__ == "__main__":
    main()
