"""A certificate authority and the certificate of a server, for TLS on loopback."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def issued(folder: Path, host: str = "platform.test") -> tuple[Path, Path]:
    """Return two files: an authority's certificate; the certificate with key that it issued to a host."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("authority", host)]

    def certificate(which: int, extension: x509.ExtensionType) -> x509.Certificate:
        identifier = x509.SubjectKeyIdentifier.from_public_key(keys[which].public_key())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key())
        signs = which == 0
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=signs,
            crl_sign=signs,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            x509.CertificateBuilder(names[0], names[which], keys[which].public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(extension, critical=True)
            .add_extension(identifier, critical=False)
            .add_extension(issuer, critical=False)
            .add_extension(usage, critical=True)
            .sign(keys[0], hashes.SHA256())
        )

    pem = serialization.Encoding.PEM
    root = certificate(0, x509.BasicConstraints(ca=True, path_length=None))
    leaf = certificate(1, x509.SubjectAlternativeName([x509.DNSName(host)]))
    key = keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "root.pem").write_bytes(root.public_bytes(pem))
    (folder / "leaf.pem").write_bytes(leaf.public_bytes(pem) + key)
    return folder / "root.pem", folder / "leaf.pem"
