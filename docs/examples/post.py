"""Send one JSON document to a headend's REST with an API key kept in a file, and print the answer.

    python3 post.py KEY_FILE URL DOCUMENT.json > answer.json

The same document to the same address is the same request: given again it is answered as the first time and does
nothing twice (Idempotency-Key). What is answered may hold secrets, so keep it to yourself (umask 077).
"""

import json
import sys
from hashlib import sha256
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def post(key: str, url: str, document: bytes) -> str:
    """What is answered, as indented JSON; a refusal is the headend's own problem document."""
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Idempotency-Key": sha256(url.encode() + b"\n" + document).hexdigest()[:32],
    }
    with urlopen(Request(url, document, headers), timeout=10) as answer:
        return json.dumps(json.load(answer), indent=2, ensure_ascii=False)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} KEY_FILE URL DOCUMENT.json")
    try:
        print(post(Path(sys.argv[1]).read_text().strip(), sys.argv[2], Path(sys.argv[3]).read_bytes()))
    except HTTPError as refused:
        sys.exit(refused.read().decode())
