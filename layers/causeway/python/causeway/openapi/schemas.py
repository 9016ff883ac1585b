"""JSON Schemas (2020-12) of what the API's calls take and answer, by the names that routes declare them with."""

import json
from pathlib import Path
from typing import Any

from causeway import audit_log, memberships, templates
from causeway.connections import requests
from causeway.syncs import runs

Schema = dict[str, Any]

_TIME: Schema = {"type": "string", "format": "date-time"}
_ID: Schema = {"type": "string", "format": "uuid"}
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
# What an id of a player, game or session is to strict_json.integer_field.
_NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
_SHORT: Schema = {"type": "string", "minLength": 1, "maxLength": 255}
_MONEY: Schema = {"type": "string", "pattern": "^-?[0-9]+$", "description": "Minor units."}
_AMOUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1, "description": "Minor units."}
_CURSOR: Schema = {"type": ["string", "null"], "description": "For the next page; null at the end."}
_CONFIG: Schema = {"type": "object", "description": "As the template's configSchema says."}
# A connection's.
_STATUS: Schema = {"enum": list(requests.STATUSES)}


def _or_null(schema: Schema) -> Schema:
    return schema | {"type": [schema["type"], "null"]}


def _object(properties: dict[str, Schema], *optional: str, closed: bool = True, **more: Any) -> Schema:
    """An object whose properties are all required but the optional ones. closed: no others are taken, or answered."""
    schema: Schema = {"type": "object", "properties": properties}
    required = [name for name in properties if name not in optional]
    if required:
        schema["required"] = required
    return schema | ({"additionalProperties": False} if closed else {}) | more


def _text(most: int, least: int = 1) -> Schema:
    return {"type": "string", "minLength": least, "maxLength": most}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _limit(most: int, default: int) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default}


# The parameters of paths, by name.
PATH_PARAMETERS: dict[str, Schema] = {
    "connection_id": _ID,
    "key_id": _ID,
    "run_id": _ID,
    "tenant_id": _ID,
    "subject": {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,255}$", "description": "The sub of his tokens."},
    "template_id": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"},
    "calendar_id": {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,128}$"},
}

# Of what carries an ETag: it has a version that a change must name.
VERSIONED = frozenset({"Connection", "Template"})


def _errors() -> dict[str, Schema]:
    error = {"error": _TEXT, "code": _TEXT, "requestId": _TEXT, "balance": _MONEY}
    return {
        "Error": _object(error, "balance", description="balance: the player's, where he is known."),
        "GatewayMessage": _object({"message": _TEXT}, description="Refused before a function was asked."),
    }


def _connections() -> dict[str, Schema]:
    environment: Schema = {"enum": list(requests.ENVIRONMENTS)}
    named = {"name": _text(100), "description": _text(1000, 0)}
    connection = {
        "id": _ID,
        "templateId": _TEXT,
        "kind": _TEXT,
        "name": _TEXT,
        "description": _TEXT,
        "environment": environment,
        "status": _STATUS,
        "isActive": {"type": "boolean"},
        "errorMessage": _or_null(_TEXT),
        "lastSyncAt": _or_null(_TIME),
        "createdAt": _TIME,
        "updatedAt": _TIME,
        "config": _CONFIG | {"description": "Without the secrets; only for roles with connections.read."},
        "rollbackUntil": _TIME
        | {"description": "Until when the last rotation can be rolled back, where it can; only in the answer to GET."},
    }
    return {
        "ConnectionDraft": _object(
            {
                "templateId": _text(64),
                **named,
                "environment": environment | {"default": "production"},
                "config": _CONFIG,
            },
            "description",
            "environment",
        ),
        "ConnectionChange": _object(
            named | {"config": _CONFIG | {"description": "Fields to set; null takes one away, others stay."}},
            *named,
            "config",
            minProperties=1,
        ),
        "NewSecrets": _object({"config": _CONFIG}),
        "Connection": _object(connection, "config", "rollbackUntil"),
        "ConnectionPage": _object({"integrations": _list(_ref("Connection")), "nextCursor": _CURSOR}),
        "ConnectionFilter": _object(
            {"kind": _TEXT, "status": _STATUS, "provider": _TEXT, "limit": _limit(100, 50), "cursor": _TEXT},
            *("kind", "status", "provider", "limit", "cursor"),
        ),
    }


def _syncs() -> dict[str, Schema]:
    return {
        "SyncRun": _object(
            {
                "runId": _ID,
                "status": {"enum": list(runs.STATUSES)},
                "reason": _or_null(_TEXT),
                "message": _or_null(_TEXT),
                "requestedBy": _TEXT,
                "requestedAt": _TIME,
                "startedAt": _or_null(_TIME),
                "endedAt": _or_null(_TIME),
            }
        ),
        "SyncRunPage": _object({"syncs": _list(_ref("SyncRun")), "nextCursor": _CURSOR}),
        "SyncRunFilter": _object({"limit": _limit(100, 50), "cursor": _ID}, "limit", "cursor"),
    }


def _call_logs() -> dict[str, Schema]:
    return {
        "CallLog": _object(
            {
                "id": _NUMBER,
                "method": _TEXT,
                "url": _TEXT,
                "status": {"type": ["integer", "null"]},
                "milliseconds": _COUNT,
                "error": _or_null(_TEXT),
                "requestBody": _or_null(_TEXT),
                "responseBody": _or_null(_TEXT),
                "requestId": _TEXT,
                "createdAt": _TIME,
            }
        ),
        "CallLogPage": _object({"logs": _list(_ref("CallLog")), "nextCursor": _CURSOR}),
        "PageQuery": _object(
            {"limit": _limit(100, 50), "cursor": {"type": "string", "pattern": "^[0-9]{1,18}$"}}, "limit", "cursor"
        ),
    }


def _health() -> dict[str, Schema]:
    health = {
        "status": {"enum": ["healthy", "degraded", "down"]},
        "code": _TEXT,
        "message": _TEXT,
        "nextAction": _TEXT,
        "responseMs": _COUNT,
        "checkedAt": _TIME,
    }
    return {
        "Verdict": _object(
            {"success": {"type": "boolean"}}
            | {name: health[name] for name in ("code", "message", "nextAction")}
            | {"responseMs": _COUNT}
        ),
        "Health": _object(
            {
                "id": _ID,
                "name": _TEXT,
                "type": _TEXT,
                "status": _STATUS,
                "isActive": {"type": "boolean"},
                "lastSync": _or_null(_TIME),
                "errorMessage": _or_null(_TEXT),
                "checks": _object({"connection": {"oneOf": [_object(health), {"type": "null"}]}}),
            }
        ),
    }


def _calendars() -> dict[str, Schema]:
    slot = {"startTime": _TIME, "endTime": _TIME, "title": _text(200, 0)}
    calendar = {"id": {}, "name": {}, "isActive": {}}
    return {
        "CalendarList": _object({"calendars": _list(_object(calendar, description="As the platform tells them."))}),
        "Day": _object(
            {"date": {"type": "string", "format": "date"}, "timezone": _text(64) | {"default": "UTC"}}, "timezone"
        ),
        "FreeSlots": _object({"slots": _list({"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"})}),
        "BlockedSlotDraft": _object(slot, "title"),
        "BlockedSlot": _object({"id": {}, "calendarId": _TEXT, **slot}),
    }


def _templates(folder: Path) -> dict[str, Schema]:
    shape: Schema = json.loads((folder / "catalogue" / "_provider.schema.json").read_bytes())
    fields: dict[str, Schema] = {name: shape["properties"][field] for name, field in templates.FIELDS.items()}
    own = {"healthCall": "HealthCall", "baseUrls": "BaseUrls", "rateLimits": "RateLimits"}
    named = {own[name]: fields[name] for name in own}
    fields |= {name: _ref(own[name]) for name in own}
    active: dict[str, Schema] = {"isActive": {"type": "boolean"}}
    shown_call: Schema = {"type": "object", "description": "As in TemplateDraft."}
    return {
        **named,
        "TemplateDraft": _object(fields),
        "TemplateChange": _object(fields | active, *fields, *active, minProperties=1),
        "Template": _object(fields | active | {"name": _TEXT, "healthCall": shown_call}),
        "TemplatePage": _object({"templates": _list(_ref("Template")), "nextCursor": _CURSOR}),
        "TemplateFilter": _object(
            {"category": _TEXT, "active": {"type": "boolean"}, "limit": _limit(100, 50), "cursor": _TEXT},
            *("category", "active", "limit", "cursor"),
        ),
    }


def _keys_and_audit() -> dict[str, Schema]:
    key = {
        "id": _ID,
        "name": _TEXT,
        "channel": _or_null(_TEXT),
        "createdBy": _TEXT,
        "createdAt": _TIME,
        "lastUsedAt": _or_null(_TIME),
        "revokedAt": _or_null(_TIME),
    }
    filters: dict[str, Schema] = dict.fromkeys(("action", "actor", "object_kind", "object_id", "outcome"), _TEXT) | {
        "since": _TIME,
        "until": _TIME,
        "limit": _limit(audit_log.MOST, 100),
        "cursor": {"type": "string", "pattern": "^[0-9]{1,18}$"},
        "format": {"enum": ["json", "csv"], "default": "json"},
    }
    state: Schema = {"type": ["object", "null"]}
    entry = {
        "entry": _NUMBER,
        "at": _TIME,
        "actorKind": {"enum": ["person", "machine", "system"]},
        "actor": _or_null(_TEXT),
        "actorRole": _or_null(_TEXT),
        "action": {"enum": sorted(audit_log.Action)},
        "objectKind": _TEXT,
        "objectId": _or_null(_TEXT),
        "outcome": {"enum": ["done", "refused", "failed"]},
        "before": state,
        "after": state,
        "sourceIp": _or_null(_TEXT),
        "requestId": _or_null(_TEXT),
        "hash": _TEXT,
    }
    return {
        "ApiKeyDraft": _object({"name": _text(100), "channel": _or_null(_text(100))}, "channel"),
        "ApiKey": _object(key),
        "NewApiKey": _object(key | {"apiKey": {"type": "string", "description": "Shown this once."}}),
        "ApiKeyList": _object({"apiKeys": {"type": "array", "items": _ref("ApiKey"), "maxItems": 1000}}),
        "AuditFilter": _object(filters, *filters),
        "AuditEntry": _object(entry),
        "AuditPage": _object({"entries": _list(_ref("AuditEntry")), "nextCursor": _CURSOR}),
    }


def _tenants() -> dict[str, Schema]:
    code: Schema = {"type": "string", "pattern": "^[A-Z0-9_]{1,64}$", "description": "What game providers call it."}
    name = {"displayName": _text(200)}
    status: Schema = {"enum": list(memberships.STATUSES)}
    role: Schema = {"enum": ["tenant_admin", "regulator", "staff"]}
    return {
        "TenantDraft": _object({"code": code} | name),
        "TenantChange": _object(name),
        "Tenant": _object({"id": _ID, "code": code, **name, "createdAt": _TIME}),
        "TenantPage": _object({"tenants": _list(_ref("Tenant")), "nextCursor": _CURSOR}),
        "TenantQuery": _object({"limit": _limit(100, 50), "cursor": _text(64)}, "limit", "cursor"),
        "MembershipChange": _object({"status": status}),
        "Membership": _object({"subject": _TEXT, "role": role, "status": status, "createdAt": _TIME}),
        "MembershipPage": _object({"memberships": _list(_ref("Membership")), "nextCursor": _CURSOR}),
        "MembershipQuery": _object({"limit": _limit(100, 50), "cursor": _text(255)}, "limit", "cursor"),
    }


def _wallet() -> dict[str, Schema]:
    player = {"sessionToken": _SHORT, "userId": _NUMBER}
    bet = player | {"transactionId": _SHORT, "roundId": _SHORT, "amount": _AMOUNT}
    related = {
        "relatedTransactionId": _SHORT | {"description": "The bet; a win must name it."},
        "kind": {"enum": ["win", "promo", "jackpot"], "default": "win"},
    }
    moved = {
        "transactionId": _TEXT,
        "balance": _MONEY,
        "currency": _TEXT,
        "status": {"const": "ok"},
        "tombstone": {"const": True},
    }
    # Fields that are not listed are ignored, but the signature covers them.
    return {
        "BalanceQuery": _object(player, closed=False),
        "Balance": _object({"userId": _NUMBER, "balance": _MONEY, "currency": _TEXT}),
        "Bet": _object(bet, closed=False),
        "Credit": _object(bet | related, *related, closed=False),
        "Rollback": _object(
            player | {"transactionId": _SHORT, "roundId": _SHORT, "originalTransactionId": _SHORT},
            "roundId",
            closed=False,
        ),
        "Moved": _object(moved, "tombstone"),
    }


def _games() -> dict[str, Schema]:
    launched = {"gameId": _TEXT, "currency": _TEXT, "minBet": _TEXT, "maxBet": _TEXT}
    step = {
        "step": _NUMBER,
        "action": _TEXT,
        "amount": {"type": "integer", "description": "Minor units."},
        "status": {"type": "integer"},
        "expectedBalance": _TEXT,
        "balance": _TEXT,
    }
    session = {"sessionToken": _SHORT, "userId": _NUMBER, "gameId": _SHORT, "currency": _SHORT, "casinoCode": _SHORT}
    return {
        "LaunchRequest": _object({"userId": _NUMBER, "gameId": _NUMBER}, closed=False),
        "GameSession": _object(
            {"sessionToken": _ID, "casinoSessionId": _NUMBER, "providerSessionId": _TEXT, **launched}
        ),
        "ProviderLaunch": _object(session | {"casinoSessionId": _NUMBER}, closed=False),
        "ProviderSession": _object({"providerSessionId": _ID, **launched, "playerId": {"type": ["integer", "string"]}}),
        "Simulation": _object(session | {"providerSessionId": _SHORT}, "gameId", "currency", closed=False),
        "RoundReport": _object(
            {
                "success": {"type": "boolean"},
                "roundId": _TEXT,
                "steps": _list(_object(step)),
                "finalBalance": _TEXT,
            }
        ),
    }


def every(schema_folder: Path) -> dict[str, Schema]:
    """Return all schemas by name.

    Args:
        schema_folder: the one with catalogue/, whose shape a template has.
    """
    return {
        **_errors(),
        **_connections(),
        **_syncs(),
        **_call_logs(),
        **_health(),
        **_calendars(),
        **_templates(schema_folder),
        **_keys_and_audit(),
        **_tenants(),
        **_wallet(),
        **_games(),
        "OpenApi": {"type": "object", "description": "This document.", "required": ["openapi", "info", "paths"]},
    }
