"""A module to subscribe to in many ways: units on a field, and what they carry."""

from __future__ import annotations

from actors import i32, table, u32


@table(public=True, primary_key="id", index=["owner"])
class Unit:
    id: u32
    owner: u32
    x: i32
    y: i32
    name: str


@table(public=True, primary_key="id", index=["unit_id"])
class Load:
    id: u32
    unit_id: u32
    kind: str
