"""The access token of a stored connection: kept encrypted, got anew by one caller at a time.

KMS and platforms are called between transactions, never in one.
"""

import random
from collections.abc import Mapping
from dataclasses import replace
from time import sleep
from uuid import UUID, uuid4

from aws_lambda_powertools import Logger

from causeway.connections import app_in_use, grants
from causeway.errors.oauth import OauthAppMissing
from causeway.errors.service import Unavailable
from causeway.errors.vault import CredentialMissing, CredentialUnreadable
from causeway.outbound.deadlines import Deadline
from causeway.outbound.failures import AddressBlocked, CallFailed, OutOfTime, RequestInvalid
from causeway.platforms import token_calls
from causeway.platforms.account import Account, Log
from causeway.platforms.code_exchange import App
from causeway.platforms.failures import AuthorizationMissing
from causeway.platforms.tokens import Grant, TokenRefused, field_of, given_token, lacks_app, not_renewable, renewal
from causeway.tenancy.context import Context
from causeway.vault import credentials, oauth_apps, oauth_tokens
from causeway.vault.credentials import StoredCredential
from causeway.vault.crypto import DataKeys, HeldKey, SecretField
from causeway.vault.oauth_tokens import EncryptedGrant, Leased

logger = Logger(child=True)

# Seconds that a caller waits for a token, if its call has so many.
WAIT = 20.0
# Seconds for storing what the token endpoint answers: more than a transaction takes.
_STORING = 3.0
# Seconds: the call to the token endpoint, and storing what it answers. KMS is called before the lease begins. When the
# lease of a killed caller has run out, another one has waited less than 15 seconds (HUB 6).
LEASE = token_calls.BUDGET + _STORING
# Seconds between two looks at what another caller gets.
_SHORTEST_POLL = 0.05
_LONGEST_POLL = 0.4
# Seconds between two attempts to store a grant.
_LONGEST_PAUSE = 1.0
# Seconds in which the holder of a lease that has ended may still store its grant: more than its pauses then.
_LATE_STORE = 0.5
# The status of a token endpoint without an answer.
_NO_ANSWER = 503
# These failures say nothing of the token endpoint: it was not called.
_NOT_CALLED = (OutOfTime, RequestInvalid, AddressBlocked)


class ConnectionTokens:
    """The TokenSource of a stored connection, for the calls of one piece of work.

    Args:
        context: who makes the calls.
        connection_id: the connection.
        credential: the version of its credential that the account's secrets are of.
        keys: the data keys of all tenants.
        anew: get a new token first, as a test does: the old one does not show that the secrets are still good.
        candidate: the account has other secrets or settings than the connection, but its refresh token: a refusal says
            nothing of the connection.

    Attributes:
        grant: the last one that this source got; None: none.
    """

    def __init__(
        self,
        context: Context,
        connection_id: UUID,
        credential: StoredCredential,
        keys: DataKeys,
        *,
        anew: bool = False,
        candidate: bool = False,
    ) -> None:
        self.grant: Grant | None = None
        self._candidate = candidate
        self._context = context
        self._connection_id = connection_id
        self._credential = credential
        self._keys = keys
        self._anew = anew
        self._read_again = False
        # The token that was used last, decrypted.
        self._token: str | None = None

    def current(self, account: Account, log: Log, deadline: Deadline | None = None) -> str:
        """Return the token in use, or a new one when it ends. Raises as TokenSource.current."""
        if not self._anew and self._credential.token.fresh:
            token = self._token or self._stored_token(account)
            if token is not None:
                self._token = token
                return token
        if not self._can_renew(account):
            # Let the platform judge the token that there is.
            return self._field_token(account) or given_token(account)
        return self._get(account, log, Deadline(WAIT, deadline), refused=None)

    def renewed(self, account: Account, log: Log, refused: str, deadline: Deadline | None = None) -> str:
        """Return a new token, unless another call has got one since. Raises as TokenSource.renewed."""
        if self._token is None:
            self._token = self._stored_token(account)
        if self._token not in (None, refused) and self._credential.token.fresh:
            return self._token
        if not self._can_renew(account):
            raise not_renewable()
        return self._get(account, log, Deadline(WAIT, deadline), refused=refused)

    def renew(self, account: Account, log: Log) -> None:
        """Get a new token, unless another caller has got one since the credential was read.

        Raises:
            TokenRefused, CallFailed: as TokenSource.current.
        """
        self._get(account, log, Deadline(WAIT), refused=None)

    def live(self, account: Account) -> Account:
        """Return an account with the secrets that grants have replaced since it was decrypted."""
        return replace(account, secrets={**account.secrets, **self._live_fields(account)})

    def is_by_shared_app(self, account: Account) -> bool:
        """Return whether the deployment's own OAuth app got the account's access token."""
        return self._credential.token.by_shared_app and lacks_app(account)

    def _version(self) -> int:
        if self._credential.version is None:
            raise CredentialMissing
        return self._credential.version

    def _get(self, account: Account, log: Log, deadline: Deadline, refused: str | None) -> str:
        """Get a new token, or wait for the one that another caller gets."""
        # KMS first: a lease is shorter than a slow KMS, and a grant that could not be encrypted would be lost.
        key = HeldKey(self._keys.active(self._context.tenant))
        app = self._shared_app(account)
        poll = _SHORTEST_POLL
        while True:
            seen = self._credential.token.grants
            lease_id = uuid4()
            # The lease begins later than this, so that its last seconds are for storing.
            call_ends, lease_ends = Deadline(token_calls.BUDGET, deadline), Deadline(LEASE)
            failure = None
            if self._has_lease(lease_id, seen, call_ends):
                live = self.live(account)
                try:
                    grant = token_calls.call(live if app is None else app_in_use.with_app(live, app), log, call_ends)
                except CallFailed as failed:
                    self._note_failure(failed, lease_id)
                    failure = failed
                else:
                    return self._stored(live, grant, key, deadline, lease_ends)
            if self._credential.token.grants != seen:
                # Another caller has got a grant, also where this one was refused: its refresh token was used already.
                self._anew = False
                self._token = self._stored_token(account)
                if self._token is not None and self._token != refused:
                    return self._token
                continue
            usable = None if refused is not None or self._anew or _for_good(failure) else self._still_valid(account)
            if usable is not None:
                return usable
            if failure is not None:
                raise failure
            self._check_wait(deadline)
            sleep(min(random.SystemRandom().uniform(poll / 2, poll), deadline.left()))
            poll = min(poll * 2, _LONGEST_POLL)

    def _has_lease(self, lease_id: UUID, seen: int, call_ends: Deadline) -> bool:
        """Read the credential and its token again; return whether the caller has the lease now, and must call."""
        leased = self._look(lease_id if call_ends.left() >= token_calls.LEAST else None, seen)
        if leased == "ended":
            # The last holder may have used the refresh token, and is about to store the next one.
            sleep(_LATE_STORE)
            self._look(None, seen)
        return leased is not None and self._credential.token.grants == seen

    def _look(self, lease_id: UUID | None, seen: int) -> Leased | None:
        """Read the credential and its token again; with a lease's id, return how the caller has got it now."""
        version = self._version()
        leased: Leased | None = None
        with self._context.database.transaction(self._context.tenant) as transaction:
            if lease_id is not None:
                leased = oauth_tokens.lease(
                    transaction,
                    self._connection_id,
                    version,
                    lease_id=lease_id,
                    seen=seen,
                    seconds=LEASE,
                    again=self._anew,
                )
            self._credential = credentials.find(transaction, self._connection_id, version)
            self._read_again = True
        return leased

    def _check_wait(self, deadline: Deadline) -> None:
        """Raise what the token endpoint has answered, if waiting does not help or takes too long."""
        token = self._credential.token
        lasting = token.refusal is not None and not self._anew
        too_long = token.waits > max(deadline.left() - token_calls.LEAST, 0.0)
        if token.failed_status is not None and (lasting or too_long):
            raise TokenRefused(token.failed_status, token.refusal, token.waits or None)
        if deadline.left() <= 0:
            raise OutOfTime("no other call has got the token in time, and too little is left for this one to get it")

    def _can_renew(self, account: Account) -> bool:
        """Return whether a call can get a new token; of a connection without an app that may ask the database."""
        way = renewal(account)
        if way != "refresh" or grants.token_field(account) is None or not lacks_app(account):
            return way in ("client", "refresh")
        return oauth_apps.find_client_id(self._context.database, account.provider.key) is not None

    def _shared_app(self, account: Account) -> App | None:
        """Return the deployment's OAuth app, if the account has none of its own.

        Raises:
            AuthorizationMissing: the deployment has none either.
        """
        if not lacks_app(account):
            return None
        try:
            return app_in_use.app(self._context.database, account)
        except OauthAppMissing as error:
            raise AuthorizationMissing(error.sentence, error.action) from error

    def _stored(self, account: Account, grant: Grant, key: HeldKey, deadline: Deadline, lease_ends: Deadline) -> str:
        """Store a grant before its access token is used: a platform may have ended the old refresh token with it."""
        ready = grants.encrypted(key, self._context.tenant, self._connection_id, account, grant)
        self._store(ready, Deadline(max(deadline.left(), _STORING)), lease_ends)
        self.grant = grant
        self._anew = False
        self._token = grant.access_token
        return grant.access_token

    def _store(self, ready: EncryptedGrant, last: Deadline, lease_ends: Deadline) -> None:
        """Store a grant; one that replaces a secret, until the last moment: without it the connection is lost."""
        seen = self._credential.token.grants
        version = self._version()
        longest = _SHORTEST_POLL
        while True:
            try:
                with self._context.database.transaction(self._context.tenant) as transaction:
                    oauth_tokens.store(transaction, self._connection_id, version, ready, seen)
                    self._credential = credentials.find(transaction, self._connection_id, version)
            except Unavailable as error:
                if not ready.fields:
                    logger.warning("An access token could not be stored", extra={"reason": error.cause})
                    return
                # When the lease ends, another caller may soon use the old refresh token.
                pause = min(longest, max(lease_ends.left(), _SHORTEST_POLL))
                if last.left() <= pause:
                    raise
            else:
                return
            sleep(random.SystemRandom().uniform(pause / 2, pause))
            longest = min(longest * 2, _LONGEST_PAUSE)

    def _note_failure(self, failure: CallFailed, lease_id: UUID) -> None:
        """Give the lease back, write what the token endpoint has failed at, and read whether another has got a token.

        If that fails, the lease ends by itself.
        """
        refused = failure if isinstance(failure, TokenRefused) else TokenRefused(_NO_ANSWER)
        version = self._version()
        try:
            with self._context.database.transaction(self._context.tenant) as transaction:
                if self._candidate or isinstance(failure, _NOT_CALLED):
                    oauth_tokens.release(transaction, self._connection_id, version, lease_id)
                else:
                    oauth_tokens.fail(
                        transaction,
                        self._connection_id,
                        version,
                        lease_id=lease_id,
                        status=refused.status,
                        refusal=refused.refusal,
                        wait=refused.verdict.retry_after,
                    )
                self._credential = credentials.find(transaction, self._connection_id, version)
        except Unavailable as error:
            logger.warning("The failure of a token's call could not be stored", extra={"reason": error.cause})

    def _still_valid(self, account: Account) -> str | None:
        """Return the old token if it has not ended; None otherwise."""
        token = self._stored_token(account) if self._credential.token.valid else None
        self._token = token
        return token

    def _stored_token(self, account: Account) -> str | None:
        """Return the stored token, decrypted; None if there is none that was got with what the account has now."""
        token = self._credential.token
        if grants.token_field(account) is not None:
            return self._field_token(account)
        if token.ciphertext is None or token.terms != grants.terms(account):
            return None
        return self._decrypted(oauth_tokens.FIELD, token.ciphertext)

    def _field_token(self, account: Account) -> str | None:
        """Return the access token that is a secret field of the credential, as it is now."""
        field = grants.token_field(account)
        if field is None:
            return None
        return self._live_fields(account).get(field) or account.secrets.get(field)

    def _live_fields(self, account: Account) -> Mapping[str, str]:
        """Return the secret fields that grants replace, as they were read last."""
        if not self._read_again:
            return account.secrets
        wanted = account.provider.authentication
        names = (grants.token_field(account), field_of(wanted, "refresh_token"))
        found = {
            secret.name: self._decrypted(secret.name, ciphertext)
            for secret, ciphertext in self._credential.ciphertexts.items()
            if secret.name in names
        }
        return {name: secret for name, secret in found.items() if secret is not None}

    def _decrypted(self, name: str, ciphertext: bytes) -> str | None:
        """Return a secret; None if it cannot be decrypted: an alert has been raised, and another one can be got."""
        secret = SecretField(self._context.tenant, self._connection_id, name)
        try:
            return self._keys.decrypt(secret, ciphertext)
        except CredentialUnreadable:
            return None


def _for_good(failure: CallFailed | None) -> bool:
    return isinstance(failure, TokenRefused) and failure.refusal is not None
