"""The static stub knows the same names as the package."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import find_spec

import chainrule
from chainrule.errors import MissingPackageError


def test_the_stub_is_current(project_root):
    done = subprocess.run(
        [sys.executable, str(project_root / "tools" / "stubs.py"), "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_stub_defines_every_public_name(project_root):
    text = (project_root / "src" / "chainrule" / "__init__.pyi").read_text(encoding="utf-8")
    defined = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom):
            defined |= {one.asname or one.name for one in node.names}
        elif isinstance(node, ast.FunctionDef):
            defined.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            defined.add(node.target.id)
    assert set(chainrule.__all__) <= defined


def test_every_public_name_can_be_loaded():
    missing = set()
    for name in chainrule.__all__:
        assert name in dir(chainrule)
        try:
            assert getattr(chainrule, name) is not None
        except MissingPackageError as error:
            missing.add(error.name)
    assert not any(map(find_spec, missing))  # an extra that is really not there
