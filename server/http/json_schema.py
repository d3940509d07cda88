"""JSON Schema of shapes (2020-12), objects by reference."""

from __future__ import annotations

import inspect
from typing import Final

from server.http.shapes import Choice, Field, Integer, ListOf, Option, Record, Scalar, Shape
from server.limits import JSON_INTEGER_MAX

__all__ = ["Schema", "Schemas"]

Schema = dict[str, object]

_SCALARS: Final[dict[Scalar, Schema]] = {
    Scalar.ANYTHING: {},
    Scalar.EMBEDDED: {},
    Scalar.BOOLEAN: {"type": "boolean"},
    Scalar.TEXT: {"type": "string"},
    Scalar.NUMBER: {"type": "number"},
    Scalar.MOMENT: {"type": "string", "format": "date-time"},
    Scalar.BYTES: {"type": "string", "contentEncoding": "base64"},
    Scalar.IDENTITY: {"type": "string", "pattern": "^(0x)?[0-9A-Fa-f]{64}$"},
    Scalar.CONNECTION: {"type": "string", "pattern": "^(0x)?[0-9A-Fa-f]{32}$"},
    Scalar.UUID: {"type": "string", "format": "uuid"},
}


class Schemas:
    """The schemas of one document; those of structs are ``components``.

    What is sent may leave out fields that have a default; what is answered holds every field. So a
    struct that is used both ways has two schemas.
    """

    def __init__(self, **components: Schema) -> None:
        self.components = components
        self._names: dict[tuple[type, bool], str] = {}

    def schema(self, shape: Shape, *, sent: bool = False) -> Schema:
        """The schema of a shape, as a client sends it or as it is answered."""
        if isinstance(shape, Record):
            return {"$ref": f"#/components/schemas/{self._component(shape, sent=sent)}"}
        if isinstance(shape, ListOf):
            return {"type": "array", "items": self.schema(shape.element, sent=sent)}
        if isinstance(shape, Option):
            inner = self.schema(shape.inner, sent=sent)
            return {"anyOf": [inner, {"type": "null"}]} if inner else {}
        if isinstance(shape, Choice):
            return {"type": "string", "enum": [member.name.lower() for member in shape.members]}
        if isinstance(shape, Integer):
            most = JSON_INTEGER_MAX if sent else 2**64
            low, high = max(shape.low, -most), min(shape.high, most)
            return {"type": "integer", "minimum": low, "maximum": high}
        return dict(_SCALARS[shape])

    def object_schema(self, fields: tuple[Field, ...], *, sent: bool = False) -> Schema:
        """The schema of an object with these fields."""
        properties = {field.key: self._property(field, sent=sent) for field in fields}
        required = [field.key for field in fields if field.is_required or not sent]
        schema: Schema = {"type": "object", "properties": properties}
        return {**schema, "required": required} if required else schema

    def _property(self, field: Field, *, sent: bool) -> Schema:
        schema = self.schema(field.shape, sent=sent)
        if sent and not field.is_required and isinstance(field.default, bool | int | str):
            schema["default"] = field.default
        return schema

    def _component(self, shape: Record, *, sent: bool) -> str:
        key = (shape.struct, sent)
        if key not in self._names:
            name = shape.struct.__name__ + ("Sent" if sent else "")
            while name in self.components:
                name += "_"
            self._names[key] = name
            self.components[name] = {}  # its place, while its parts are looked at
            schema = self.object_schema(shape.fields, sent=sent)
            text = inspect.getdoc(shape.struct)
            if text is not None:
                schema["description"] = text.partition("\n")[0]
            self.components[name] = schema
        return self._names[key]
