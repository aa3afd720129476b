"""Puts ``tests/`` on the path and makes the emulator's fixture known to all tests."""

from __future__ import annotations

pytest_plugins = ["emulator_fixture"]
