"""Stripe's webhook signature (scheme v1), checked in constant time.

Pure: the body's bytes, the header, the secrets and the clock come in, a refusal or nothing goes out. It does
not import stripe, which belongs to payouts; a test compares it with stripe's own WebhookSignature.
Stricter than stripe's: a timestamp from the future is refused too, a body need not be text to be judged.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

HEADER_CHARS_MAX: Final = 4096
SIGNATURES_MAX: Final = 16

_TIMESTAMP: Final = re.compile(r"(?:0|[1-9][0-9]{0,11})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRefused:
    """Why a delivery is refused; `reason` is the metric's label, `sentence` is for the sender."""

    reason: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureHeader:
    """What a Stripe-Signature header claims: when it was signed, and the candidate signatures."""

    timestamp: int
    signatures: tuple[bytes, ...]


def check_signature(
    body: bytes, header: str | None, secrets: Sequence[str], *, now: int, tolerance_s: int
) -> SignatureRefused | None:
    """Answer None when one of the secrets signed this body within the tolerance of now (Unix seconds).

    Several secrets are one endpoint's during a rotation; several signatures are Stripe's during its own.
    """
    read = read_header(header)
    if isinstance(read, SignatureRefused):
        return read
    if not _signed_by_any(body, read, secrets):
        return SignatureRefused(
            reason="bad_signature", sentence="no signature in Stripe-Signature matches this body and endpoint"
        )
    return _refuse_far_from_now(read.timestamp, now, tolerance_s)


def sign(body: bytes, secret: str, timestamp: int) -> str:
    """Return the hexadecimal HMAC-SHA256 of `timestamp.body`: Stripe's v1 signature."""
    return hmac.new(secret.encode(), b"%d." % timestamp + body, sha256).hexdigest()


def read_header(header: str | None) -> SignatureHeader | SignatureRefused:
    """Take a Stripe-Signature header apart: one `t=`, at least one `v1=`; other schemes are ignored."""
    if not header:
        return _malformed("missing_signature", "the Stripe-Signature header is missing")
    if len(header) > HEADER_CHARS_MAX:
        return _malformed("malformed_signature", "the Stripe-Signature header is too long")
    items = [item.strip().partition("=") for item in header.split(",")]
    stamps = [value for name, _, value in items if name == "t"]
    signatures = [value for name, _, value in items if name == "v1"]
    if len(stamps) != 1 or not _TIMESTAMP.fullmatch(stamps[0]):
        return _malformed("malformed_signature", "Stripe-Signature needs exactly one t=<Unix seconds>")
    if not 1 <= len(signatures) <= SIGNATURES_MAX:
        return _malformed("malformed_signature", f"Stripe-Signature needs 1 to {SIGNATURES_MAX} v1=")
    encoded = tuple(value.encode("utf-8", "surrogateescape") for value in signatures)
    return SignatureHeader(timestamp=int(stamps[0]), signatures=encoded)


def _malformed(reason: str, sentence: str) -> SignatureRefused:
    return SignatureRefused(reason=reason, sentence=sentence)


def _signed_by_any(body: bytes, header: SignatureHeader, secrets: Sequence[str]) -> bool:
    # Every pair is compared: the time taken must not tell which secret or signature matches in part.
    # Signed once for each secret, however many signatures a stranger sends: that is the expensive half.
    wanted = [sign(body, secret, header.timestamp).encode() for secret in secrets if secret.strip()]
    matches = [hmac.compare_digest(ours, theirs) for ours in wanted for theirs in header.signatures]
    return any(matches)


def _refuse_far_from_now(timestamp: int, now: int, tolerance_s: int) -> SignatureRefused | None:
    if timestamp < now - tolerance_s:
        return SignatureRefused(
            reason="stale", sentence=f"signed more than {tolerance_s} s ago; a replay, or a clock is wrong"
        )
    if timestamp > now + tolerance_s:
        return SignatureRefused(
            reason="future", sentence=f"signed more than {tolerance_s} s in the future; a clock is wrong"
        )
    return None
