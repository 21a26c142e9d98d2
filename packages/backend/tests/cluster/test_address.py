"""The ways into a Redis: with a password, over TLS, over a socket of the machine; and what is said when one is closed."""

import datetime as dt
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.support.ports import free_port
from tests.support.redis import RedisServer

from rejoinder.cluster.redis import RedisCluster
from rejoinder.cluster.redis.address import Address
from rejoinder.cluster.redis.resp import encode
from rejoinder.errors import ConfigurationError
from rejoinder.testing.cluster import RecordingPeers, claim, fresh, until


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[RedisServer]:
    """With a password, a user who may do what the chat does, and one who may not."""
    flags = (
        *("--user", *["default", "on", ">secret@/", "~*", "&*", "+@all"]),
        *("--user", *["chat", "on", ">pässword", "~rejoinder:*", "&rejoinder:*", "+@all"]),
        *("--user", *["guest", "on", ">guest", "~*", "&*", "+@all", "-script"]),
        *("--unixsocket", str(tmp_path / "socket")),
    )
    server = RedisServer(tmp_path / "redis", flags=flags).start()
    yield server
    server.stop()


async def works(url: str) -> None:
    """Two servers over it hear each other."""
    clusters = [(RedisCluster(url, 300), RecordingPeers()) for _ in range(2)]
    (first, _), (second, heard) = clusters
    try:
        for cluster, peers in clusters:
            await cluster.open(peers)
        room = fresh("room")
        assert not await second.listen(room)
        others = await first.listen(room)
        assert set(others) == {second.server_id}
        first.send(others, b'"hello"')
        await until(lambda: heard.items == [(first.server_id, b'"hello"')], "it is heard")
        assert (await first.claim(claim(fresh("user")), "single")).since > 0
    finally:
        for cluster, _ in clusters:
            await cluster.close()


async def refused(url: str, because: str) -> None:
    """It says why at the start, and lets go of everything."""
    cluster = RedisCluster(url, 300)
    with pytest.raises(ConfigurationError, match=because) as error:
        await cluster.open(RecordingPeers())
    assert "s3cret" not in str(error.value)
    await cluster.close()


async def test_a_password(guarded: RedisServer) -> None:
    await works(f"redis://:secret%40%2F@127.0.0.1:{guarded.port}/3")


async def test_a_user_who_may_do_no_more_than_the_chat_does(guarded: RedisServer) -> None:
    await works(f"redis://chat:p%C3%A4ssword@127.0.0.1:{guarded.port}/3")


async def test_a_socket_of_the_machine(guarded: RedisServer, tmp_path: Path) -> None:
    await works(f"unix://:secret%40%2F@{tmp_path / 'socket'}?db=5")


@pytest.mark.parametrize(
    ("login", "because"),
    [
        ("", "NOAUTH"),
        (":s3cret@", "WRONGPASS"),
        ("nobody:s3cret@", "WRONGPASS"),
        ("guest:guest@", "NOPERM"),
    ],
)
async def test_who_is_not_let_in_is_told_why(
    guarded: RedisServer, login: str, because: str
) -> None:
    await refused(f"redis://{login}127.0.0.1:{guarded.port}/0", because)


async def test_a_database_that_is_not_there(guarded: RedisServer) -> None:
    await refused(f"redis://:secret%40%2F@127.0.0.1:{guarded.port}/5000", "out of range")


async def test_what_is_no_redis_is_not_waited_for(guarded: RedisServer, tmp_path: Path) -> None:
    await refused(f"unix://{tmp_path / 'nothing'}", "No such file")
    # It speaks no TLS.
    await refused(f"rediss://127.0.0.1:{guarded.port}/0", "can't be used")


async def test_a_connection_tells_its_name_and_has_its_database(guarded: RedisServer) -> None:
    address = Address(f"redis://:secret%40%2F@127.0.0.1:{guarded.port}/7?client_name=chat")
    assert address.database == 7
    connection = await address.connect()
    (told,) = await connection.ask(encode([("CLIENT", "INFO")]), 1)
    assert b"name=chat" in told
    assert b"db=7" in told
    connection.end()


@pytest.mark.parametrize(
    "url", ["redis://host?nothing=1", "redis://host?ssl_cert_reqs=none", "redis://host?db=x"]
)
def test_options_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Address(url)


# --- TLS -------------------------------------------------------------------------------------------


@pytest.fixture
def own_certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Signed by itself, for this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "redis of a test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@pytest.fixture
def encrypted(tmp_path: Path, own_certificate: tuple[Path, Path]) -> Iterator[tuple[int, Path]]:
    """The port on which a Redis speaks TLS, and whom to trust for it."""
    certificate, key = own_certificate
    port = free_port()
    flags = (
        *("--tls-port", str(port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
        *("--requirepass", "secret"),
    )
    server = RedisServer(tmp_path / "redis", flags=flags).start()
    yield port, certificate
    server.stop()


async def test_over_tls(encrypted: tuple[int, Path]) -> None:
    port, certificate = encrypted
    await works(f"rediss://:secret@127.0.0.1:{port}/2?ssl_ca_certs={certificate}")
    await works(f"rediss://:secret@127.0.0.1:{port}/2?ssl_cert_reqs=none")


async def test_over_tls_with_one_who_is_not_trusted(encrypted: tuple[int, Path]) -> None:
    await refused(f"rediss://:s3cret@127.0.0.1:{encrypted[0]}/2", "CERTIFICATE_VERIFY_FAILED")
