from __future__ import annotations

import datetime as dt
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis_server import free_port, redis_server
from store_words import append, load, one

from persistence import StoreWriteError
from persistence.redis_store import RedisStore
from persistence.redis_url import parse_redis_url


def make_certificate(folder):
    """A certificate of its own authority, for the loopback; files of it and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "redis")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "redis.crt", folder / "redis.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


async def test_tls_reaches_the_server_and_knows_it(tmp_path):
    certificate, key = make_certificate(tmp_path)
    port = free_port()
    arguments = ["--tls-port", str(port), "--tls-auth-clients", "no"]
    arguments += ["--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
    with redis_server(tmp_path / "redis", *arguments, "--tls-ca-cert-file", str(certificate)):
        url = f"rediss://127.0.0.1:{port}"
        store = RedisStore(parse_redis_url(f"{url}?ca={certificate}", "x"))
        description = await store.open()
        assert description.location.startswith("rediss://")
        assert await append(store, one("a", 1)) is None
        assert len((await load(store, "a")).tail) == 1
        await store.close()
        stranger = RedisStore(parse_redis_url(f"{url}?outage_seconds=0.1", "x"))
        with pytest.raises(StoreWriteError, match="certificate"):
            await stranger.open()
