"""Files in memory: the board's file store for unit tests under CPython."""

from collections.abc import Iterator

from firmware.boards.base import Files


class FakeFiles(Files):
    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}

    def read(self, path: str) -> bytes | None:
        return self.content.get(path)

    def parts(self, path: str, size: int) -> Iterator[bytes]:
        content = self.content.get(path, b"")
        for at in range(0, len(content), size):
            yield content[at : at + size]

    def replace(self, path: str, content: bytes) -> None:
        self.content[path] = bytes(content)

    def append(self, path: str, content: bytes) -> None:
        self.content[path] = self.content.get(path, b"") + content
