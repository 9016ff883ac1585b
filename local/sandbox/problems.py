"""How each platform words its errors: functions from a status to its answer.

Shapes are the vendors' own where they are public (their OpenAPI descriptions and error references, named beside
each); the platforms without public documents get one plain shape.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType

from local.sandbox.exchange import Said

Problem = Callable[[int], Said]

_WAIT = {"Retry-After": "2"}


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase


def _headers(status: int) -> Mapping[str, str]:
    return _WAIT if status == 429 else {}


def plain(status: int) -> Said:
    """A platform without public documents."""
    code = _phrase(status).upper().replace(" ", "_")
    return Said(status, {"error": _phrase(status), "code": code}, _headers(status))


def twilio(status: int) -> Said:
    """https://www.twilio.com/docs/usage/twilios-response and .../docs/api/errors."""
    code, message = {
        401: (20003, "Authenticate"),
        403: (20005, "Account not active"),
        404: (20404, "The requested resource was not found"),
        429: (20429, "Too Many Requests"),
    }.get(status, (20500, _phrase(status)))
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Said(status, {"code": code, "message": message, "more_info": more, "status": status}, _headers(status))


def stripe(status: int) -> Said:
    """https://docs.stripe.com/api/errors; the 429's header: https://docs.stripe.com/rate-limits."""
    error = {
        401: {"type": "invalid_request_error", "message": "Invalid API Key provided: sk_test_****"},
        403: {"type": "invalid_request_error", "message": "The provided key does not have the required permissions."},
        404: {"type": "invalid_request_error", "message": "Unrecognized request URL."},
        429: {"type": "invalid_request_error", "code": "rate_limit", "message": "Request rate limit exceeded."},
    }.get(status, {"type": "api_error", "message": "An unexpected error occurred."})
    more = {"Stripe-Rate-Limited-Reason": "global-rate"} if status == 429 else {}
    return Said(status, {"error": error}, {"Request-Id": "req_sandbox", **more, **_headers(status)})


def graph(status: int) -> Said:
    """https://developers.facebook.com/docs/graph-api/guides/error-handling: often 400, whatever is wrong."""
    real, code, message = {
        401: (400, 190, "Invalid OAuth access token - Cannot parse access token"),
        403: (403, 200, "Permissions error"),
        404: (400, 100, "Unsupported get request."),
        429: (400, 4, "Application request limit reached"),
    }.get(status, (status, 1, "An unknown error occurred"))
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AsandboxTrace"}
    return Said(real, {"error": error})


def paypal(status: int) -> Said:
    """https://developer.paypal.com/api/rest/responses; the token endpoint's 401 as in RFC 6749, 5.2."""
    if status == 401:
        return Said(401, {"error": "invalid_client", "error_description": "Client Authentication failed"})
    name = {403: "NOT_AUTHORIZED", 404: "RESOURCE_NOT_FOUND", 429: "RATE_LIMIT_REACHED"}.get(
        status, "INTERNAL_SERVER_ERROR"
    )
    content = {"name": name, "message": _phrase(status), "debug_id": "sandbox", "details": [], "links": []}
    return Said(status, content, {"PayPal-Debug-Id": "sandbox", **_headers(status)})


def sendgrid(status: int) -> Said:
    """https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/responses."""
    message = {401: "The provided authorization grant is invalid, expired, or revoked", 403: "access forbidden"}.get(
        status, _phrase(status).lower()
    )
    return Said(status, {"errors": [{"message": message, "field": None, "help": None}]}, _headers(status))


def mailchimp(status: int) -> Said:
    """https://mailchimp.com/developer/marketing/docs/errors."""
    title = {401: "API Key Invalid", 404: "Resource Not Found", 500: "Internal Server Error"}.get(
        status, _phrase(status)
    )
    content = {
        "type": "https://mailchimp.com/developer/marketing/docs/errors/",
        "title": title,
        "status": status,
        "detail": f"{title}.",
        "instance": "00000000-0000-0000-0000-000000000000",
    }
    return Said(status, content, _headers(status), "application/problem+json")


def gohighlevel(status: int) -> Said:
    """The common schemas of https://github.com/GoHighLevel/highlevel-api-docs."""
    message = {401: "Invalid token: access token is invalid", 429: "Too Many Requests"}.get(status, _phrase(status))
    return Said(status, {"statusCode": status, "message": message, "error": _phrase(status)}, _headers(status))


def ngenius(status: int) -> Said:
    """The error body of https://docs.ngenius-payments.com."""
    error = {
        "message": _phrase(status),
        "localizedMessage": _phrase(status),
        "errorCode": "invalidCredentials" if status == 401 else "error",
        "domain": "identity",
    }
    return Said(status, {"message": _phrase(status), "code": status, "errors": [error]}, _headers(status))


def telr(status: int) -> Said:
    """https://docs.telr.com: errors come with status 200. The words of a refused key are an assumption."""
    if status in (401, 403):
        note = "Check the store id and authentication key"
        return Said(200, {"method": "check", "error": {"message": "E04:Invalid store ID", "note": note}})
    return plain(status)


def aramex(status: int) -> Said:
    """The JSON services of https://www.aramex.com/developers: errors come with status 200."""
    if status in (401, 403):
        found = [{"Code": "ERR01", "Message": "ClientInfo - Invalid username or password"}]
        return Said(200, {"HasErrors": True, "Notifications": found, "NonExistingWaybills": [], "TrackingResults": []})
    return Said(status, f"<h1>{_phrase(status)}</h1>", _headers(status), "text/html")


def dhl(status: int) -> Said:
    """https://developer.dhl.com/api-reference/dhl-express-mydhl-api."""
    content = {
        "instance": "/mydhlapi/address-validate",
        "detail": "Invalid Credentials" if status == 401 else _phrase(status),
        "title": _phrase(status),
        "message": _phrase(status),
        "status": str(status),
    }
    return Said(status, content, _headers(status))


def fedex(status: int) -> Said:
    """https://developer.fedex.com/api/en-us/catalog/authorization.html."""
    code = {401: "NOT.AUTHORIZED.ERROR", 403: "FORBIDDEN.ERROR", 404: "NOT.FOUND.ERROR"}.get(
        status, "INTERNAL.SERVER.ERROR"
    )
    content = {"transactionId": "sandbox", "errors": [{"code": code, "message": _phrase(status)}]}
    return Said(status, content, _headers(status))


def smsa(status: int) -> Said:
    """ASP.NET's problem details; https://ecomapis.smsaexpress.com publishes no error shape."""
    title = _phrase(status)
    return Said(status, {"title": title, "status": status}, _headers(status), "application/problem+json")


def linkedin(status: int) -> Said:
    """https://learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling."""
    service = {401: 65600, 403: 100, 429: 101}.get(status, 0)
    code = {401: "INVALID_ACCESS_TOKEN", 403: "ACCESS_DENIED", 429: "TOO_MANY_REQUESTS"}.get(status, "ERROR")
    content = {"status": status, "serviceErrorCode": service, "code": code, "message": _phrase(status)}
    return Said(status, content, _headers(status))


def tiktok(status: int) -> Said:
    """https://developers.tiktok.com/doc/tiktok-api-v2-error-handling."""
    code = {401: "access_token_invalid", 403: "scope_not_authorized", 429: "rate_limit_exceeded"}.get(
        status, "internal_error"
    )
    content = {"data": {}, "error": {"code": code, "message": _phrase(status), "log_id": "sandbox"}}
    return Said(status, content, _headers(status))


def google(status: int) -> Said:
    """https://cloud.google.com/apis/design/errors."""
    name = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}.get(
        status, "INTERNAL"
    )
    return Said(status, {"error": {"code": status, "message": _phrase(status), "status": name}}, _headers(status))


BY_PROVIDER: Mapping[str, Problem] = MappingProxyType(
    {
        "twilio": twilio,
        "whatsapp_business": graph,
        "softswiss": plain,
        "altenar": plain,
        "bet_software": plain,
        "playtech_pam": plain,
        "stripe": stripe,
        "paypal": paypal,
        "network_international": ngenius,
        "telr": telr,
        "aramex": aramex,
        "dhl_express": dhl,
        "fedex": fedex,
        "smsa_express": smsa,
        "facebook": graph,
        "instagram": graph,
        "linkedin": linkedin,
        "tiktok": tiktok,
        "mailchimp": mailchimp,
        "sendgrid": sendgrid,
        "gohighlevel": gohighlevel,
        "facebook_ads": graph,
        "google_analytics": google,
    }
)
