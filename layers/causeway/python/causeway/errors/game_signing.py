"""Errors of signed calls between a casino and a game provider."""

from causeway.errors.tree import CausewayError


class SignatureInvalid(CausewayError):
    """The signature is missing or does not match the request"""

    code = "SIGNATURE_INVALID"
    status = 401
    action = "Sign the exact bytes of the body with the current secret of the game provider named by x-provider-code."


class CasinoNotFound(CausewayError):
    """No such casino"""

    code = "CASINO_NOT_FOUND"
    status = 404
    action = "Send the casinoCode that was agreed on."


class GameProviderFailed(CausewayError):
    """The game provider, or the casino that it called, did not answer as it should"""

    code = "GAME_PROVIDER_FAILED"
    status = 502
    retry = True
    action = "Try again later."
