"""The local stack's user pool in moto's Cognito: people of two tenants in every role, and their tokens."""

import http.client
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from local.account import REGION
from local.errors import StartError
from local.services.moto import Moto

GROUPS = ("super_admin", "tenant_admin", "regulator", "staff")
# Custom attributes, which tokens carry as custom:tenant_id and so on; a player's token names the player.
ATTRIBUTES = ("tenant_id", "player_id")


@dataclass(frozen=True)
class Person:
    """A person who can log in: name (an e-mail address), group or None, custom attributes (without custom:)."""

    name: str
    group: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)


class UserPool:
    """A user pool as template.yaml makes it on AWS, with one client that logs in by password.

    Moto's tokens have AWS's issuer and expire after an hour. They are signed with a key that is public in moto's
    source.
    """

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._password = f"Aa1!{secrets.token_urlsafe(24)}"
        self.id = ""
        self.client_id = ""

    @property
    def issuer(self) -> str:
        """The tokens' iss."""
        return f"https://cognito-idp.{REGION}.amazonaws.com/{self.id}"

    @property
    def keys_url(self) -> str:
        """The URL of the pool's JSON Web Key Set."""
        return f"{self._moto.url}/{self.id}/.well-known/jwks.json"

    def create(self, people: Iterable[Person]) -> None:
        """Make the pool, its client and groups, and a confirmed user for each person; raises StartError."""
        custom = [{"Name": name, "AttributeDataType": "String", "Mutable": True} for name in ATTRIBUTES]
        pool = self._call("CreateUserPool", PoolName="causeway-local", UsernameAttributes=["email"], Schema=custom)
        self.id = pool["UserPool"]["Id"]
        client = self._call(
            "CreateUserPoolClient",
            UserPoolId=self.id,
            ClientName="causeway-local",
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            ReadAttributes=["email", "name", *(f"custom:{name}" for name in ATTRIBUTES)],
            # The tenant is not writable: otherwise a user could choose the tenant whose data to see.
            WriteAttributes=["email", "name"],
        )
        self.client_id = client["UserPoolClient"]["ClientId"]
        for group in GROUPS:
            self._call("CreateGroup", UserPoolId=self.id, GroupName=group)
        for person in people:
            self.add(person)

    def add(self, person: Person) -> None:
        """Add a user who can log in; raises StartError."""
        attributes = [{"Name": "email", "Value": person.name}]
        attributes += [{"Name": f"custom:{name}", "Value": value} for name, value in person.attributes.items()]
        user = {"UserPoolId": self.id, "Username": person.name}
        self._call("AdminCreateUser", **user, UserAttributes=attributes, MessageAction="SUPPRESS")
        self._call("AdminSetUserPassword", **user, Password=self._password, Permanent=True)
        if person.group is not None:
            self._call("AdminAddUserToGroup", **user, GroupName=person.group)

    def log_in(self, name: str) -> dict[str, str]:
        """Return Cognito's AuthenticationResult for a user: IdToken, AccessToken and more; raises StartError."""
        parameters = {"USERNAME": name, "PASSWORD": self._password}
        answer = self._call(
            "InitiateAuth", ClientId=self.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
        )
        return answer["AuthenticationResult"]

    def signing_keys(self) -> dict[str, Any]:
        """Return the pool's JSON Web Key Set, read from moto; raises OSError or ValueError."""
        connection = http.client.HTTPConnection(self._moto.address, self._moto.port, timeout=30)
        try:
            connection.request("GET", f"/{self.id}/.well-known/jwks.json")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def _call(self, operation: str, **parameters: object) -> dict[str, Any]:
        status, answer = self._moto.call("cognito-idp", f"AWSCognitoIdentityProviderService.{operation}", parameters)
        if status != http.client.OK:
            raise StartError(f"Cognito's {operation} was refused: {answer}")
        return answer
