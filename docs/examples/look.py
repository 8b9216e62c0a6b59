"""Read one address of a headend's REST with an API key kept in a file: `python3 look.py KEY_FILE URL`."""

import json
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def look(key: str, url: str) -> str:
    """What is answered, as indented JSON; a refusal is the headend's own problem document."""
    with urlopen(Request(url, headers={"Authorization": f"Bearer {key}"}), timeout=10) as answer:
        return json.dumps(json.load(answer), indent=2, ensure_ascii=False)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} KEY_FILE URL")
    try:
        print(look(Path(sys.argv[1]).read_text().strip(), sys.argv[2]))
    except HTTPError as refused:
        sys.exit(refused.read().decode())
