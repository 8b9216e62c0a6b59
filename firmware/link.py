"""Joins the device's modules into four: a module object, its dictionary and each imported name cost heap. Host-side.

Modules are laid one after another, each after those it imports. A top-level name keeps its spelling where no other
module defines it too; otherwise its module's name is put before it (`rating__spend`). Imports between device modules
then need no code at all; `module.name` becomes the name itself.

Four, not one: what only the loading of a part needed leaves a gap beside each function, too small for anything but the
small things of the next part. Loaded as one, a meter with 27 KB free has no room for a table of 500 bytes.
"""

from __future__ import annotations

import ast
import builtins

PARTS = ("part1", "part2", "part3", "part4")  # in the order in which they are loaded
RESERVED = set(dir(builtins))


class LinkFailed(Exception):
    """A construct that cannot be joined; the argument says where."""


def join(trees: dict[str, ast.Module], entry: str, apart: set[str]) -> tuple[dict[str, ast.Module], str]:
    """(file name → tree, the joined name of `entry`, written module.function).

    Modules are joined into the files of PARTS; modules of `apart` get a file of their own. Each file imports the joined
    names that it uses of the parts.
    """
    names = _new_names(trees)
    order = _in_order(trees)
    files = _files(trees, order, apart)
    joined = {files[module]: ast.Module([], []) for module in order}
    outside: set[tuple[str, str]] = set()
    for module in order:
        joiner = _Joiner(module, names, apart)
        for statement in [found for node in trees[module].body if (found := joiner.visit(node)) is not None]:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                if (files[module], ast.unparse(statement)) in outside:
                    continue
                outside.add((files[module], ast.unparse(statement)))
            joined[files[module]].body.append(statement)
    for file, tree in joined.items():
        for other in [other for other in reversed(PARTS) if other in joined and other != file]:
            known = {name for module in names if files[module] == other for name in names[module].values()}
            import_into(tree, other, known)
    module, _, function = entry.rpartition(".")
    return {name: ast.fix_missing_locations(tree) for name, tree in joined.items()}, names[module][function]


def joined_name(files: dict[str, ast.Module], function: str) -> str:
    """What `function`, written module.function, is called in the joined files. Raises LinkFailed."""
    module, _, name = function.rpartition(".")
    found = {node.name for tree in files.values() for node in tree.body if isinstance(node, ast.FunctionDef)}
    for joined in (f"{module.rpartition('.')[2]}__{name}", name):
        if joined in found:
            return joined
    raise LinkFailed(f"no {function} is left to be named")


def _files(trees: dict[str, ast.Module], order: list[str], apart: set[str]) -> dict[str, str]:
    """Module → file: the order of imports is cut where each part has about as many functions as the others."""
    functions = {
        module: sum(isinstance(node, ast.FunctionDef) for node in ast.walk(trees[module]))
        for module in order
        if module not in apart
    }
    files = {module: module.rpartition(".")[2] for module in apart}
    before, total = 0, max(1, sum(functions.values()))
    for module, count in functions.items():
        files[module] = PARTS[min(before * len(PARTS) // total, len(PARTS) - 1)]
        before += count
    return files


def import_into(tree: ast.Module, file: str, known: set[str]) -> None:
    """Import at the head of `tree` what it mentions of the names `known`, which `file` defines."""
    used = known & {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if used:
        tree.body.insert(0, ast.ImportFrom(file, [ast.alias(name) for name in sorted(used)], 0))


def defined(tree: ast.Module) -> list[str]:
    """Top-level names a module defines itself."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [inner.id for target in node.targets for inner in ast.walk(target) if isinstance(inner, ast.Name)]
    return found


def _new_names(trees: dict[str, ast.Module]) -> dict[str, dict[str, str]]:
    """Per module, the joined name of each name it defines."""
    count: dict[str, int] = {}
    for tree in trees.values():
        for name in set(defined(tree)):
            count[name] = count.get(name, 0) + 1
    taken = RESERVED.union(*[_local_names(tree) for tree in trees.values()])
    return {
        module: {
            name: name if count[name] == 1 and name not in taken else f"{module.rpartition('.')[2]}__{name}"
            for name in defined(tree)
        }
        for module, tree in trees.items()
    }


def _local_names(tree: ast.Module) -> set[str]:
    """Names that some function binds; a joined name must hide none of them."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]
    return set().union(*[_assigned(function) for function in functions])


def _imported(node: ast.stmt, modules: set[str]) -> list[str]:
    """The device modules that an import statement names."""
    if not isinstance(node, ast.ImportFrom):
        return []
    whole = [f"{node.module}.{alias.name}" for alias in node.names if f"{node.module}.{alias.name}" in modules]
    return whole + ([node.module] if node.module in modules else [])


def _in_order(trees: dict[str, ast.Module]) -> list[str]:
    """Module names, each after the device modules it imports."""
    order: list[str] = []

    def place(module: str, above: tuple[str, ...]) -> None:
        if module in above:
            raise LinkFailed(f"{module} imports itself by way of {above[-1]}")
        if module in order:
            return
        for node in trees[module].body:
            for needed in _imported(node, set(trees)):
                place(needed, (*above, module))
        order.append(module)

    for module in trees:
        place(module, ())
    return order


class _Joiner(ast.NodeTransformer):
    """Rewrites one module's statements to the joined names."""

    def __init__(self, module: str, names: dict[str, dict[str, str]], apart: set[str]) -> None:
        self.names = names
        self.module = module
        self.apart = apart
        self.here = dict(names[module])
        self.modules: dict[str, str] = {}
        self.local: list[set[str]] = []

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        outside = []
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            if {whole, node.module} & self.apart:
                return self._late_import(node)
            if whole in self.names:
                self.modules[alias.asname or alias.name] = whole
            elif node.module in self.names:
                self.here[alias.asname or alias.name] = self.names[node.module][alias.name]
            else:
                outside.append(alias)
        node.names = outside
        return node if outside else None

    def _late_import(self, node: ast.ImportFrom) -> ast.AST:
        """An import of a module apart, inside a function: of the module itself, or of names of it."""
        alias = node.names[0]
        whole = f"{node.module}.{alias.name}"
        if whole in self.apart:
            if len(node.names) > 1:
                raise LinkFailed(f"{self.module} imports {whole} and others at once")
            self.modules[alias.name] = whole
            used = sorted(self.names[whole].values())
            return ast.ImportFrom(alias.name, [ast.alias(name) for name in used], 0)
        assert node.module is not None
        for alias in node.names:
            self.here[alias.asname or alias.name] = self.names[node.module][alias.name]
        joined = [ast.alias(self.names[node.module][alias.name]) for alias in node.names]
        return ast.ImportFrom(node.module.rpartition(".")[2], joined, 0)

    def _is_local(self, name: str) -> bool:
        return any(name in scope for scope in self.local)

    def _scoped(self, node: ast.FunctionDef | ast.Lambda) -> ast.AST:
        arguments = {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
        node.args.defaults = [self.visit(default) for default in node.args.defaults]
        self.local.append(arguments | _assigned(node))
        if isinstance(node, ast.Lambda):
            node.body = self.visit(node.body)
        else:
            node.body = [joined for statement in node.body if (joined := self.visit(statement)) is not None]
        self.local.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        if not self.local:
            node.name = self.here.get(node.name, node.name)
        return self._scoped(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._scoped(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Methods and class attributes keep their names: they are reached through the class."""
        node.name = self.here.get(node.name, node.name)
        node.bases = [self.visit(base) for base in node.bases]
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef):
                statement.decorator_list = [self.visit(decorator) for decorator in statement.decorator_list]
                self._scoped(statement)
            elif isinstance(statement, ast.Assign):
                statement.value = self.visit(statement.value)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if not self._is_local(node.id):
            node.id = self.here.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in self.modules and not self._is_local(node.value.id):
            known = self.names[self.modules[node.value.id]]
            if node.attr not in known:
                raise LinkFailed(f"{self.modules[node.value.id]} defines no {node.attr}")
            return ast.Name(known[node.attr], node.ctx)
        return self.generic_visit(node)


def _assigned(function: ast.FunctionDef | ast.Lambda) -> set[str]:
    """Names a function binds itself, comprehension variables and inner functions included."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef) and node is not function:
            found.add(node.name)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found
