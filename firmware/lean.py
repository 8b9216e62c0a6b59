"""Makes the device's sources lean before they are compiled: 64 KB of heap hold bytecode too. Host-side.

Nothing is rewritten by hand for the device; the build leaves out what the device never uses:
- integer constants stand in the code as numbers, also across modules, and their names go;
- a function, class, method or name that no device file mentions goes (the decoders of uplinks, say);
- annotations, type-only imports and the branch for other interpreters go;
- the names of fields in refusals of the protocol go: a meter counts refusals, it shows none.

Mentioning is judged by bare name over all files, so that it can only keep too much, never too little.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

# Called by MicroPython itself, so no source mentions them.
CALLED_BY_THE_INTERPRETER = {"readblocks", "writeblocks", "ioctl"}


def lean(sources: dict[str, str], entry: str) -> dict[str, ast.Module]:
    """Module name → tree for all device files (path → source). `entry` (module.function) is what gets called."""
    trees = {path: ast.parse(text) for path, text in sources.items()}
    constants = {module_name(path): _constants(tree) for path, tree in trees.items()}
    for path, tree in trees.items():
        trees[path] = _Inline(module_name(path), constants).visit(_Strip().visit(tree))
    protocol = [tree for path, tree in trees.items() if path.startswith("protocol/")]
    named = {name: at for tree in protocol for name, at in _parameters_for_people(tree)}
    for tree in protocol:
        _Silence(named).visit(tree)
    drop_unmentioned(trees, {entry.rpartition(".")[2]})
    return {module_name(path): tree for path, tree in trees.items()}


def module_name(path: str) -> str:
    """firmware/boards/base.py → firmware.boards.base"""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _constants(tree: ast.Module) -> dict[str, int]:
    """Module-level NAME = const(number) or NAME = number, in capitals: bound once, so it can stand in the code."""
    found: dict[str, int] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
            if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "const":
                value = value.args[0]
            if name.isupper() and isinstance(value, ast.Constant) and type(value.value) is int:
                found[name] = value.value
    return found


class _Strip(ast.NodeTransformer):
    """Annotations, type-only blocks and docstrings."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        holds = _holds_on_a_device(node.test)
        if holds is None:
            return node
        return node.body if holds else node.orelse

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], self.visit(node.value)), node)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        """An assert stays, spelled out: the compiler's level that drops line tables would drop it too."""
        raised = ast.Raise(ast.Name("AssertionError", ast.Load()), None)
        return ast.copy_location(ast.If(ast.UnaryOp(ast.Not(), node.test), [raised], []), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        for argument in (*node.args.args, *node.args.kwonlyargs):
            argument.annotation = None
        _drop_docstring(node)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        _drop_docstring(node)
        return self.generic_visit(node)

    def visit_Module(self, node: ast.Module) -> ast.AST:
        _drop_docstring(node)
        return self.generic_visit(node)


def _holds_on_a_device(test: ast.expr) -> bool | None:
    """The value of a test over TYPE_CHECKING and ON_MICROPYTHON alone, None for any other test."""
    if isinstance(test, ast.Name) and test.id in ("TYPE_CHECKING", "ON_MICROPYTHON"):
        return test.id == "ON_MICROPYTHON"
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _holds_on_a_device(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        parts = [_holds_on_a_device(value) for value in test.values]
        if None in parts:
            return None
        return all(parts) if isinstance(test.op, ast.And) else any(parts)
    return None


def _drop_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> None:
    if node.body and isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
        node.body = node.body[1:] or ([] if isinstance(node, ast.Module) else [ast.Pass()])


def _parameters_for_people(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """(function or exception, position) where a parameter only names a field to whoever reads a refusal."""
    for scope in [tree, *[node for node in tree.body if isinstance(node, ast.ClassDef)]]:
        for function in [node for node in scope.body if isinstance(node, ast.FunctionDef)]:
            names = [argument.arg for argument in function.args.args if argument.arg != "self"]
            for at in [at for at, name in enumerate(names) if name in ("field", "message") and at]:
                yield function.name, at
            if names == ["field"]:
                yield function.name, 0
    yield from (("WireRefused", 1), ("RuleRefused", 1))


class _Silence(ast.NodeTransformer):
    """Empties the texts that stand for such parameters, and those in the wire's tables of fields."""

    def __init__(self, named: dict[str, int]) -> None:
        self.named = named

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        at = self.named.get(called, len(node.args))
        if at < len(node.args) and isinstance(node.args[at], ast.Constant):
            node.args[at] = ast.Constant("")
        return node

    def visit_Module(self, node: ast.Module) -> ast.AST:
        for statement in node.body:
            if (
                isinstance(statement, ast.Assign)
                and isinstance(statement.value, ast.Tuple)
                and _is_table(statement.value)
            ):
                statement.value.elts = [
                    ast.Constant("") if isinstance(item.value, str) else item  # type: ignore[attr-defined]
                    for item in statement.value.elts
                ]
        return self.generic_visit(node)


def _is_table(table: ast.Tuple) -> bool:
    """A flat table of fields: a name, then its limits as numbers, row after row."""
    kinds = [type(item.value) for item in table.elts if isinstance(item, ast.Constant)]
    return len(kinds) == len(table.elts) and kinds[:2] == [str, int] and set(kinds) == {str, int}


class _Inline(ast.NodeTransformer):
    """Numbers in place of the names of constants, of this module and of device modules it imports."""

    def __init__(self, module: str, constants: dict[str, dict[str, int]]) -> None:
        self.constants = constants
        self.names = dict(constants[module])
        self.modules: dict[str, str] = {}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        kept = []
        for alias in node.names:
            known = self.constants.get(node.module or "", {})
            if alias.name in known:
                self.names[alias.asname or alias.name] = known[alias.name]
                continue
            if f"{node.module}.{alias.name}" in self.constants:
                self.modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            kept.append(alias)
        node.names = kept
        return node if kept else None

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        if isinstance(node.targets[0], ast.Name) and node.targets[0].id in self.names and node.col_offset == 0:
            return None
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in self.names:
            return ast.Constant(self.names[node.id])
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in self.modules:
            known = self.constants[self.modules[node.value.id]]
            if node.attr in known:
                return ast.Constant(known[node.attr])
        return self.generic_visit(node)


def _mentions(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value  # getattr, setattr


def _bodies(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """The statement lists in which names are defined: of the module, its classes and its top-level ifs."""
    yield tree.body
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.body
        elif isinstance(node, ast.If):
            yield from (node.body, node.orelse)


def _defined(node: ast.stmt) -> str | None:
    """The one name a droppable statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def drop_unmentioned(trees: dict[str, ast.Module], called: set[str]) -> None:
    """Drop, until nothing more goes, what is mentioned nowhere and not `called` from outside."""
    while _drop_once(trees, called | CALLED_BY_THE_INTERPRETER):
        pass


def _drop_once(trees: dict[str, ast.Module], called: set[str]) -> bool:
    """One round of it; True when something went."""
    mentioned = {name for tree in trees.values() for name in _mentions_outside_own_definition(tree)}
    mentioned |= called
    dropped = False
    for tree in trees.values():
        for body in _bodies(tree):
            kept = [node for node in body if _stays(node, mentioned)]
            dropped |= len(kept) != len(body)
            body[:] = kept or ([] if body is tree.body else [ast.Pass()])
        dropped |= _drop_unused_imports(tree)
    return dropped


def _mentions_outside_own_definition(tree: ast.Module) -> Iterator[str]:
    """Names mentioned in this file, a top-level definition's mentions of itself left out."""
    for node in tree.body:
        own = _defined(node)
        yield from (name for name in _mentions(node) if name != own)


def _stays(node: ast.stmt, mentioned: set[str]) -> bool:
    name = _defined(node)
    return name is None or name.startswith("__") or name in mentioned


def _drop_unused_imports(tree: ast.Module) -> bool:
    nodes = list(ast.walk(tree))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    dropped = False
    for node in nodes:
        for body in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if not isinstance(body, list):
                continue
            for statement in [s for s in body if isinstance(s, ast.Import | ast.ImportFrom)]:
                kept = [alias for alias in statement.names if (alias.asname or alias.name.split(".")[0]) in used]
                dropped |= len(kept) != len(statement.names)
                statement.names = kept
                if not kept:
                    body.remove(statement)
    return dropped
