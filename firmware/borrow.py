"""Takes functions that are needed for a moment out of the heap: each group is loaded for a call and forgotten after it.

Reading a policy's body, say, takes 9 KB of code, at a boot and once in months. In its place stays a function of three
lines that imports the real one, forgets its module and calls it; the collector takes the code back after the call.
What only the functions of a group use goes with them. Host-side.
"""

from __future__ import annotations

import ast

from firmware.link import PARTS, defined, import_into


def borrow(files: dict[str, ast.Module], group: str, roots: list[str]) -> None:
    """Move `roots` (joined names of functions), and what only they use, to a new file `group`."""
    nodes = {name: node for tree in files.values() for node in tree.body if (name := _name(node))}
    apart = {name for file in set(files) - set(PARTS) for node in files[file].body if (name := _name(node))}
    moved = _needed_only_for(roots, nodes, apart)
    tree = ast.Module([nodes[name] for name in nodes if name in moved], [])
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for file, part in files.items():
        if file in PARTS:  # what has a file of its own is imported inside the functions that need it
            import_into(tree, file, set(defined(part)) - moved)
        tree.body[:0] = [node for node in part.body if _is_foreign(node, set(files)) and _bound(node) & used]
        stay = [_stand_in(node, group) if _name(node) in roots else node for node in part.body]
        part.body = [node for node in stay if _name(node) not in moved or _name(node) in roots]
        if any(_name(node) in roots for node in part.body):
            part.body.insert(0, ast.Import([ast.alias("sys")]))
    files[group] = tree
    for changed in files.values():
        ast.fix_missing_locations(changed)


def _name(node: ast.stmt) -> str | None:
    """The one name that a statement which can be moved defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def _needed_only_for(roots: list[str], nodes: dict[str, ast.stmt], apart: set[str]) -> set[str]:
    """`roots`, and what they reach and nothing else mentions; what has a file of its own stays there."""
    mentioned = {
        name: {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and inner.id in nodes} - {name}
        for name, node in nodes.items()
    }
    reached: set[str] = set()
    to_follow = list(roots)
    while to_follow:
        name = to_follow.pop()
        if name not in reached | apart:
            reached.add(name)
            to_follow += mentioned[name]
    while True:
        elsewhere = {inner for name in nodes if name not in reached for inner in mentioned[name]} - set(roots)
        if not elsewhere & reached:
            return reached
        reached -= elsewhere


def _is_foreign(node: ast.stmt, files: set[str]) -> bool:
    """An import of something of the interpreter's."""
    return isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module not in files)


def _bound(node: ast.stmt) -> set[str]:
    assert isinstance(node, ast.Import | ast.ImportFrom)
    return {alias.asname or alias.name for alias in node.names}


def _stand_in(node: ast.stmt, group: str) -> ast.stmt:
    """The function that stays: it imports the real one, forgets the module, and calls.

    A module that could not be loaded for want of memory is forgotten too, or the next call would find half of it.
    """
    assert isinstance(node, ast.FunctionDef) and not node.args.defaults and not node.args.kwonlyargs
    names = [argument.arg for argument in node.args.args]
    source = (
        f"def {node.name}({', '.join(names)}):\n"
        f"    try:\n"
        f"        from {group} import {node.name} as borrowed\n"
        f"    finally:\n"
        f"        sys.modules.pop('{group}', None)\n"
        f"    return borrowed({', '.join(names)})\n"
    )
    return ast.parse(source).body[0]
