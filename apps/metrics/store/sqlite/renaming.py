"""Giving a source's rows to another device."""

from __future__ import annotations

import sqlite3

from ..engine import LAST_TIME, SourceKey
from .queries import read_edges
from .rollup import settle
from .tables import Table, key_of


def rename_source(connection: sqlite3.Connection, table: Table, source: int, new: SourceKey) -> None:
    """Let a source be ``new``; where that one exists, its rows stay and those of other times join them."""
    found = connection.execute(
        "SELECT id FROM source WHERE site = ? AND measurement = ? AND device = ? AND circuit = ?", new
    ).fetchone()
    if found is None:
        connection.execute("UPDATE source SET device = ? WHERE id = ?", (new.device, source))
        return
    edges = read_edges(connection, table, source, 0, LAST_TIME)
    if edges is None:
        return
    first, last = edges
    keys = key_of(source, first), key_of(source, last)
    columns = ", ".join(f'"{column}"' for column in table.scales)
    connection.execute(
        f'INSERT OR IGNORE INTO "{table.name}" (k, {columns})'
        f' SELECT k + ?, {columns} FROM "{table.name}" WHERE k BETWEEN ? AND ?',
        (key_of(found[0], 0) - key_of(source, 0), *keys),
    )
    connection.execute(f'DELETE FROM "{table.name}" WHERE k BETWEEN ? AND ?', keys)
    settle(connection, table, source, 0, [(first, last + 1)])
    settle(connection, table, found[0], last, [(first, last + 1)])
