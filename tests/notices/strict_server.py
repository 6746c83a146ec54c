"""A mail server that insists on TLS and a password, with a certificate made for the test. Real SMTP, in our process."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "evergreen", "a-secret-password"


@dataclass
class StrictServer:
    """Where it is, the certificate to trust, and the mails it took."""

    certificate: Path
    port: int = 0
    mails: list[bytes] = field(default_factory=list)

    @property
    def trusting(self) -> ssl.SSLContext:
        """A client's side of TLS that trusts only this server."""
        return ssl.create_default_context(cafile=str(self.certificate))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        return "250 kept"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        """Let the one user in."""
        login = isinstance(data, LoginPassword) and (data.login, data.password)
        return AuthResult(success=login == (USER.encode(), PASSWORD.encode()), handled=False)


@asynccontextmanager
async def strict_server(folder: Path, from_the_first_byte: bool) -> AsyncIterator[StrictServer]:
    """The server while it is up: TLS from the first byte, or by STARTTLS."""
    certificate = _certificate(folder)
    strict = StrictServer(certificate)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)

    def conversation() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of a password without TLS: it does not see TLS that it did not begin
            return SMTP(
                strict,
                hostname="strict.example",
                authenticator=strict.authenticate,
                auth_required=True,
                auth_require_tls=not from_the_first_byte,
                tls_context=None if from_the_first_byte else tls,
                require_starttls=not from_the_first_byte,
                loop=asyncio.get_running_loop(),
            )

    server = await asyncio.get_running_loop().create_server(
        conversation, "127.0.0.1", 0, ssl=tls if from_the_first_byte else None
    )
    strict.port = server.sockets[0].getsockname()[1]
    try:
        yield strict
    finally:
        server.close()
        await server.wait_closed()


def _certificate(folder: Path) -> Path:
    """A certificate for this machine, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path
