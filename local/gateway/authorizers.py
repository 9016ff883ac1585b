"""The authorizers of a template, and the check of a request by the authorizer of its route."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from local.errors import TemplateError
from local.gateway.jwt_authorizer import Declaration, JwtAuthorizer, SigningKeys
from local.gateway.lambda_authorizer import Invoke, LambdaAuthorizer, LambdaDeclaration, lambda_declaration
from local.gateway.routes import Match
from local.gateway.translation import Request, event
from local.template.intrinsics import Resolver, parse
from local.template.names import FUNCTION, HTTP_API, function_attributes, of_type
from local.template.resources import Route

_HEADER_SOURCE = "$request.header."


class Authorizers:
    """The authorizers of a template, and the routes that they protect.

    Args:
        template, parameters: as template.reading.load takes them.
        routes: all routes of the template.
        fetch: returns an issuer's JSON Web Key Set, as SigningKeys takes it.
        invoke: runs the function of a Lambda authorizer.

    Raises:
        TemplateError: something cannot be resolved; names it.
    """

    def __init__(
        self,
        template: Path,
        parameters: Mapping[str, str],
        routes: Iterable[Route],
        fetch: Callable[[str], dict[str, Any]],
        invoke: Invoke,
    ) -> None:
        declared, self._scopes = declarations(template, parameters)
        for route in routes:
            if route.authorizer not in (None, *declared):
                raise TemplateError(f"{route.key}: there is no authorizer {route.authorizer}")
        self._headers: dict[str, str] = {}
        self._tokens: dict[str, JwtAuthorizer] = {}
        self._functions: dict[str, LambdaAuthorizer] = {}
        for name, declaration in declared.items():
            if isinstance(declaration, LambdaDeclaration):
                self._functions[name] = LambdaAuthorizer(declaration, invoke)
            else:
                self._headers[name] = declaration.header
                self._tokens[name] = JwtAuthorizer(declaration, SigningKeys(partial(fetch, declaration.issuer)))

    async def check(self, match: Match, request: Request, request_id: str) -> dict[str, Any] | None:
        """Return the value of requestContext.authorizer, None for a route without authorizer. Raises Refused."""
        name = match.route.authorizer
        if name is None:
            return None
        if name in self._functions:
            content = event(request, route_key=match.route.key, path_parameters=match.parameters, request_id=request_id)
            return {"lambda": await self._functions[name].check(content)}
        given = [value for header, value in request.headers if header.lower() == self._headers[name]]
        passed = await self._tokens[name].check(",".join(given), self._scopes.get(match.route.key, ()))
        return {"jwt": {"claims": passed.claims, "scopes": passed.scopes}}


def declarations(
    template: Path, parameters: Mapping[str, str]
) -> tuple[dict[str, Declaration | LambdaDeclaration], dict[str, tuple[str, ...]]]:
    """Return the authorizers of a template by name, and the required scopes of routes by route key.

    A route's own scopes replace those of its authorizer (SAM, HttpApi Auth). Raises TemplateError, naming what cannot
    be resolved.
    """
    document = parse(template.read_text())
    resolver = Resolver(document, parameters, function_attributes(document))
    apis = {name: api.get("Properties") for name, api in of_type(document, HTTP_API).items()}
    apis["Globals.HttpApi"] = (document.get("Globals") or {}).get("HttpApi")
    found: dict[str, Declaration | LambdaDeclaration] = {}
    inherited: dict[str, tuple[str, ...]] = {}
    for api, properties in apis.items():
        given = ((properties or {}).get("Auth") or {}).get("Authorizers") or {}
        for name, authorizer in resolver.resolve(given, f"{api}.Auth.Authorizers").items():
            declare = lambda_declaration if "FunctionArn" in authorizer else _declaration
            found[name] = declare(authorizer, f"{api}.Auth.Authorizers.{name}")
            inherited[name] = tuple(authorizer.get("AuthorizationScopes") or ())
    return found, _required_scopes(of_type(document, FUNCTION), resolver, inherited)


def _required_scopes(
    functions: Mapping[str, Any], resolver: Resolver, inherited: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    required = {}
    for function, resource in functions.items():
        for name, definition in (resource["Properties"].get("Events") or {}).items():
            properties = definition.get("Properties") or {}
            if definition.get("Type") != "HttpApi" or "Auth" not in properties:
                continue
            auth = resolver.resolve(properties["Auth"], f"{function}.Events.{name}.Auth")
            scopes = tuple(auth.get("AuthorizationScopes") or inherited.get(auth.get("Authorizer"), ()))
            if scopes:
                required[f"{str(properties.get('Method', 'ANY')).upper()} {properties['Path']}"] = scopes
    return required


def _declaration(authorizer: Mapping[str, Any], where: str) -> Declaration:
    configuration = authorizer.get("JwtConfiguration") or {}
    issuer, audience = configuration.get("issuer"), configuration.get("audience")
    source = authorizer.get("IdentitySource", f"{_HEADER_SOURCE}Authorization")
    if not isinstance(issuer, str) or not isinstance(audience, list) or not audience:
        raise TemplateError(f"{where}.JwtConfiguration: the local stack needs issuer and audience")
    if not source.startswith(_HEADER_SOURCE):
        raise TemplateError(
            f"{where}.IdentitySource: the local stack reads tokens only from a header, not from {source}"
        )
    header = source.removeprefix(_HEADER_SOURCE).lower()
    return Declaration(issuer, tuple(str(one) for one in audience), header)
