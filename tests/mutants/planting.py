"""Plants one bug in this process: the module's source is changed before it is compiled, and nothing on disk is.

`python -m pytest -p tests.mutants.planting …` and `python -m tests.mutants.planting KILLER…`, with the mutant's name in
GUELTA_MUTANT, plant it before anything else is imported. Without a name nothing is planted: that is the control.
"""

import importlib.machinery
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType

from tests.mutants.mutants import BY_NAME, Mutant

ROOT = Path(__file__).parents[2]
NAME = "GUELTA_MUTANT"


class Stale(Exception):
    """The text that a mutant changes is not in its file exactly once: the code has moved on, the mutant must follow."""


def changed(mutant: Mutant, source: str) -> str:
    """The source with the bug in it. Raises Stale."""
    if source.count(mutant.old) != 1:
        raise Stale(f"{mutant.name}: {mutant.file} holds the text {source.count(mutant.old)} times")
    return source.replace(mutant.old, mutant.new)


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, mutant: Mutant) -> None:
        super().__init__(name, path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> object:
        source = Path(self.path).read_text(encoding="utf-8")
        return compile(changed(self._mutant, source), self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        self.module = mutant.file.removesuffix(".py").replace("/", ".")
        self.planted = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.module:
            return None
        self.planted = True
        where = str(ROOT / self.mutant.file)
        loader = _Loader(fullname, where, self.mutant)
        return importlib.machinery.ModuleSpec(fullname, loader, origin=where)


def plant(mutant: Mutant) -> None:
    """From now on the module of this mutant is imported with its bug."""
    finder = _Finder(mutant)
    if finder.module in sys.modules:
        raise RuntimeError(f"{finder.module} is loaded already: the bug would not be in it")
    sys.meta_path.insert(0, finder)


if os.environ.get(NAME):
    plant(BY_NAME[os.environ[NAME]])

if __name__ == "__main__":
    from tests.mutants.killers import hunt

    sys.exit(hunt(*sys.argv[1:]))
