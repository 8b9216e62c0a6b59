"""Gives the joined sources short names: every distinct name costs heap, and long ones cost more. Host-side.

Global names and attributes are renamed from one list of short spellings, which both use, so that the device interns a
few hundred short names instead of a thousand long ones. A name of the interpreter's own is never touched, nor is a text
that only happens to be spelled like a name: a file on flash keeps its name.
"""

from __future__ import annotations

import ast
import io
import itertools
import select
import socket
import string
from collections import Counter
from collections.abc import Iterator

from firmware.lean import CALLED_BY_THE_INTERPRETER

# Objects of these kinds come from the interpreter; their attributes keep their names.
FOREIGN = (bytearray, bytes, str, list, dict, tuple, set, int, OSError, property, io.BufferedRandom, socket.socket)
LETTERS = string.ascii_uppercase + string.ascii_lowercase


def shorten(trees: dict[str, ast.Module], entry: str) -> str:
    """Rename in all files; returns the new name of `entry`."""
    _shorten_arguments(trees)
    _share_private_names(trees)
    spare = {node.id for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.Name)}
    top = _renamed((name for tree in trees.values() for name in _top_names(tree)), spare)
    attributes = _renamed(_own_attributes(trees), spare)
    for tree in trees.values():
        looked_up = _names_looked_up(tree)
        _Rename(top, attributes, set(trees), looked_up).visit(tree)
    return top[entry]


def _renamed(names: Iterator[str], spare: set[str]) -> dict[str, str]:
    """Each name → a short one that is not in `spare`; the shortest go to the first."""
    short = ("".join(letters) for size in (1, 2) for letters in itertools.product(LETTERS, repeat=size))
    free = (name for name in short if name not in spare and name.lower() not in ("as", "if", "in", "is", "or"))
    return {name: next(free) for name in dict.fromkeys(names)}


def _top_names(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name))


def _own_attributes(trees: dict[str, ast.Module]) -> Iterator[str]:
    """Attributes that the device's own sources define, and nothing of the interpreter has."""
    foreign = CALLED_BY_THE_INTERPRETER | {name for kind in FOREIGN for name in dir(kind)} | set(dir(select.poll()))
    for tree in trees.values():
        outside = {alias.asname or alias.name for node in ast.walk(tree) for alias in _outside(node, set(trees))}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and _root(node) in outside:
                foreign.add(node.attr)
    for tree in trees.values():
        yield from (name for name in _defined_attributes(tree) if name not in foreign and not name.startswith("__"))


def _root(node: ast.expr) -> str:
    """The name that a chain of attributes begins with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _outside(node: ast.AST, files: set[str]) -> list[ast.alias]:
    """What an import statement takes from the interpreter."""
    if isinstance(node, ast.ImportFrom):
        return [] if node.module in files else node.names
    return node.names if isinstance(node, ast.Import) else []


def _defined_attributes(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.ClassDef):
            yield from _top_names(ast.Module(node.body, []))
        elif _is_namedtuple(node):
            yield from (field.value for field in _strings(node))


def _is_namedtuple(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "namedtuple"


def _strings(node: ast.AST) -> Iterator[ast.Constant]:
    """The texts in a namedtuple's tuple of fields, or in any other tuple of names."""
    wanted = node.args[1] if isinstance(node, ast.Call) else node
    return (inner for inner in ast.walk(wanted) if isinstance(inner, ast.Constant) and isinstance(inner.value, str))


def _names_looked_up(tree: ast.Module) -> set[int]:
    """The ids of the nodes of texts that getattr or setattr may be given: those of the function and of the tables it
    names."""
    tables = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    found: set[int] = set()
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        if names & {"getattr", "setattr"}:
            for node in (function, *[tables[name] for name in names & set(tables)]):
                if not isinstance(node, ast.Call):
                    found |= {id(text) for text in _strings(node)}
    return found


class _Rename(ast.NodeTransformer):
    def __init__(self, top: dict[str, str], attributes: dict[str, str], files: set[str], looked_up: set[int]) -> None:
        self.top, self.attributes, self.files, self.looked_up = top, attributes, files, looked_up

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.top.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.attr = self.attributes.get(node.attr, node.attr)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self.top.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """What a class defines are attributes, not globals."""
        node.name = self.top.get(node.name, node.name)
        node.bases = [self.visit(base) for base in node.bases]
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef):
                statement.name = self.attributes.get(statement.name, statement.name)
                self.generic_visit(statement)
            elif isinstance(statement, ast.Assign):
                for target in [target for target in statement.targets if isinstance(target, ast.Name)]:
                    target.id = self.attributes.get(target.id, target.id)
                statement.value = self.visit(statement.value)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.module in self.files:
            for alias in node.names:
                alias.name = self.top[alias.name]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if _is_namedtuple(node):
            for field in _strings(node):
                field.value = self.attributes.get(field.value, field.value)
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if id(node) in self.looked_up:
            node.value = self.attributes.get(node.value, node.value)
        return node


def _shorten_arguments(trees: dict[str, ast.Module]) -> None:
    """Call arguments a0, a1, ... unless some call names them: a function keeps its argument names in RAM."""
    everything = [node for tree in trees.values() for node in ast.walk(tree)]
    named = {keyword.arg for node in everything if isinstance(node, ast.Call) for keyword in node.keywords}
    for function in [node for node in everything if isinstance(node, ast.FunctionDef)]:
        inner = [node for node in ast.walk(function) if isinstance(node, ast.FunctionDef | ast.Lambda)]
        if len(inner) > 1:
            continue  # an inner function may close over an argument
        short = {
            argument.arg: f"a{index}"
            for index, argument in enumerate(function.args.args)
            if argument.arg != "self" and argument.arg not in named
        }
        for node in ast.walk(function):
            if isinstance(node, ast.arg):
                node.arg = short.get(node.arg, node.arg)
            elif isinstance(node, ast.Name):
                node.id = short.get(node.id, node.id)


def _share_private_names(trees: dict[str, ast.Module]) -> None:
    """Call what only a class itself speaks of _0, _1, ...: the classes then share a handful of names in RAM."""
    everything = [node for tree in trees.values() for node in ast.walk(tree)]
    spoken_of = Counter(node.attr for node in everything if isinstance(node, ast.Attribute))
    spoken_of.update(
        node.value for node in everything if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    for one in [node for tree in trees.values() for node in tree.body if isinstance(node, ast.ClassDef)]:
        short = {name: f"_{index}" for index, name in enumerate(sorted(_private_names(one, spoken_of)))}
        for node in ast.walk(one):
            if isinstance(node, ast.FunctionDef):
                node.name = short.get(node.name, node.name)
            elif isinstance(node, ast.Attribute) and _is_of_self(node):
                node.attr = short.get(node.attr, node.attr)


def _private_names(one: ast.ClassDef, spoken_of: Counter[str]) -> set[str]:
    """Methods spelled as private, and whatever is said of `self` in this class and nowhere else, of nothing else."""
    methods = {node.name for node in one.body if isinstance(node, ast.FunctionDef)}
    private = {name for name in methods if name.startswith("_")}
    own = Counter(node.attr for node in ast.walk(one) if isinstance(node, ast.Attribute) and _is_of_self(node))
    fixed = {name for node in one.body if not isinstance(node, ast.FunctionDef) for name in _top_names_of(node)}
    if not one.bases:
        private |= {name for name, count in own.items() if count == spoken_of[name]} - fixed
    return {name for name in private if not name.endswith("__")} - CALLED_BY_THE_INTERPRETER


def _top_names_of(node: ast.stmt) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _is_of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"
