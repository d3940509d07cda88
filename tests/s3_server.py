"""An S3-compatible service in a process of its own, on a free port, that checks signatures.

It is started as a program: ``python tests/s3_server.py``, and says its address and keys when it
is ready. It ends when its input does, so it never outlives whoever started it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

BUCKET = "stories"


class S3Service(NamedTuple):
    """Where the service is, and a key that may use its bucket."""

    endpoint: str
    access_key: str
    secret_key: str


@contextmanager
def s3_service() -> Iterator[S3Service]:
    """A running service with one empty bucket."""
    command = [sys.executable, Path(__file__)]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere) as process:
        assert process.stdout is not None
        yield S3Service(*json.loads(process.stdout.readline()))
        process.communicate()


def _serve() -> None:
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "5"  # what is done below needs no key
    os.environ |= {"AWS_ACCESS_KEY_ID": "setup", "AWS_SECRET_ACCESS_KEY": "setup"}
    import boto3
    from moto.server import ThreadedMotoServer

    service = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    service.start()
    host, port = service.get_host_and_port()
    address = {"endpoint_url": f"http://{host}:{port}", "region_name": "us-east-1"}
    iam = boto3.client("iam", **address)
    iam.create_user(UserName="server")
    rights = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    iam.put_user_policy(
        UserName="server",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [rights]}),
    )
    key = iam.create_access_key(UserName="server")["AccessKey"]
    boto3.client("s3", **address).create_bucket(Bucket=BUCKET)
    boto3.client("s3", **address).list_buckets()
    print(json.dumps([address["endpoint_url"], key["AccessKeyId"], key["SecretAccessKey"]]))
    sys.stdout.flush()
    sys.stdin.read()
    service.stop()


if __name__ == "__main__":
    _serve()
