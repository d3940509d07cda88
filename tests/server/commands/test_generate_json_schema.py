from __future__ import annotations

import json

import jsonschema_rs
from command_line import run


def test_one_file_of_definitions(tmp_path):
    out = tmp_path / "deep" / "chat.schema.json"
    words = ("generate", "--lang", "json-schema", "--module", "examples.chat", "--out", str(out))
    for _ in range(2):
        done = run(*words)
        assert (done.returncode, done.stdout) == (0, f"wrote {out}\n")
    document = json.loads(out.read_text())
    jsonschema_rs.meta.validate(document)
    assert document["title"] == "chat"
    reference = {**document, "$ref": "#/$defs/tables.message"}
    assert jsonschema_rs.validator_for(reference).is_valid(
        {
            "sender": {"__identity__": "0x2a"},
            "sent": {"__timestamp_micros_since_unix_epoch__": 1},
            "text": "hello",
        }
    )
    out.write_text('{"mine": 1}')
    refused = run(*words)
    assert refused.returncode == 2
    assert out.read_text() == '{"mine": 1}'
