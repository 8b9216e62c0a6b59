"""Joins the device's modules into one: a module object, its dictionary and each imported name cost heap. Host-side.

Modules are laid one after another, each after those it imports. A top-level name keeps its spelling where no other
module defines it too; otherwise its module's name is put before it (`rating__spend`). Imports between device modules
then need no code at all; `module.name` becomes the name itself.
"""

from __future__ import annotations

import ast
import builtins

BUNDLE = "meter"
RESERVED = set(dir(builtins))


class LinkFailed(Exception):
    """A construct that cannot be joined; the argument says where."""


def join(trees: dict[str, ast.Module], entry: str, apart: set[str]) -> tuple[dict[str, ast.Module], str]:
    """(file name → tree, the joined name of `entry`, written module.function).

    Modules of `apart` get a file of their own, which imports the joined names it uses from the file "meter".
    """
    names = _new_names(trees)
    joined = {BUNDLE: ast.Module([], [])}
    outside: set[str] = set()
    for module in _in_order(trees):
        joiner = _Joiner(module, names, apart)
        statements = [found for statement in trees[module].body if (found := joiner.visit(statement)) is not None]
        if module in apart:
            elsewhere = {name for other in apart for name in names[other].values()}
            statements.insert(0, _import_of(_used(statements, names) - elsewhere))
            joined[module.rpartition(".")[2]] = ast.Module(statements, [])
            continue
        for statement in statements:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                if ast.unparse(statement) in outside:
                    continue
                outside.add(ast.unparse(statement))
            joined[BUNDLE].body.append(statement)
    module, _, function = entry.rpartition(".")
    return {name: ast.fix_missing_locations(tree) for name, tree in joined.items()}, names[module][function]


def _used(statements: list[ast.stmt], names: dict[str, dict[str, str]]) -> set[str]:
    """Joined names that these statements mention."""
    known = {joined for table in names.values() for joined in table.values()}
    return {
        node.id
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and node.id in known
    }


def _import_of(used: set[str]) -> ast.ImportFrom:
    return ast.ImportFrom(BUNDLE, [ast.alias(name) for name in sorted(used)], 0)


def _defined(tree: ast.Module) -> list[str]:
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
        for name in set(_defined(tree)):
            count[name] = count.get(name, 0) + 1
    taken = RESERVED.union(*[_local_names(tree) for tree in trees.values()])
    return {
        module: {
            name: name if count[name] == 1 and name not in taken else f"{module.rpartition('.')[2]}__{name}"
            for name in _defined(tree)
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
            self.modules[alias.name] = whole
            used = sorted(self.names[whole].values())
            return ast.ImportFrom(alias.name, [ast.alias(name) for name in used], 0)
        assert node.module is not None
        joined = self.names[node.module][alias.name]
        self.here[alias.name] = joined
        return ast.ImportFrom(node.module.rpartition(".")[2], [ast.alias(joined)], 0)

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


def shorten(trees: dict[str, ast.Module]) -> None:
    """Give arguments and private methods short names that many functions and classes share."""
    _shorten_arguments(trees)
    _share_private_names(trees)


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
    """Call the private methods of each class _0, _1, ...: the classes then share a handful of names in RAM."""
    classes = [node for tree in trees.values() for node in tree.body if isinstance(node, ast.ClassDef)]
    for one in classes:
        private = [
            node.name
            for node in one.body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("_") and not node.name.endswith("__")
        ]
        short = {name: f"_{index}" for index, name in enumerate(sorted(private))}
        for node in ast.walk(one):
            if isinstance(node, ast.FunctionDef):
                node.name = short.get(node.name, node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
                node.attr = short.get(node.attr, node.attr)
