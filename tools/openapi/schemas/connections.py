"""Connections, the calls made for them, and their health."""

from causeway.connections import call_log, requests
from tools.openapi.schemas.shapes import (
    COUNT,
    ID,
    NUMBER,
    TEXT,
    TIME,
    VERSION,
    Schema,
    list_of,
    object_of,
    or_null,
    page_of,
    page_query,
    text,
)

_ENVIRONMENT: Schema = {"enum": list(requests.ENVIRONMENTS)}
_STATUS: Schema = {"enum": list(requests.STATUSES)}
_CONFIG: Schema = {"type": "object", "description": "The fields that the template's configSchema asks for."}
_NAMED = {"name": text(100), "description": text(1000, 0)}

_HEALTH_STATUS: Schema = {"enum": ["healthy", "degraded", "down"]}
_LAST_CHECK = object_of({"status": _HEALTH_STATUS, "code": TEXT, "checkedAt": TIME}) | {
    "description": "The last test or call that was written into the health. A connection that cannot be used is down."
}

_CONNECTIONS: dict[str, Schema] = {
    "ConnectionDraft": object_of(
        {
            "templateId": text(64),
            **_NAMED,
            "environment": _ENVIRONMENT | {"default": "production"},
            "config": _CONFIG,
        },
        "description",
        "environment",
    ),
    "ConnectionChange": object_of(
        _NAMED
        | {
            "environment": _ENVIRONMENT | {"description": "A change of the environment requires all secrets again."},
            "config": _CONFIG | {"description": "Fields to set; null removes a field, fields that are not sent stay."},
        },
        *_NAMED,
        "environment",
        "config",
        minProperties=1,
    ),
    "NewSecrets": object_of({"config": _CONFIG}),
    "Connection": object_of(
        {
            "id": ID,
            "templateId": TEXT,
            "kind": TEXT,
            "name": TEXT,
            "description": TEXT,
            "environment": _ENVIRONMENT,
            "status": _STATUS,
            "isActive": {"type": "boolean"},
            "errorMessage": or_null(TEXT),
            "lastCheck": {"oneOf": [_LAST_CHECK, {"type": "null"}]},
            "lastSyncAt": or_null(TIME),
            "createdBy": TEXT | {"description": "A person's subject or a key's id."},
            "createdAt": TIME,
            "updatedAt": TIME,
            "version": VERSION,
            "config": _CONFIG | {"description": "Without the secrets; shown only to roles with connections.read."},
            "rollbackUntil": TIME
            | {
                "description": "The last rotation can be rolled back until then; only in the answer to GET, and only "
                "where there is a rotation to roll back."
            },
        },
        "config",
        "rollbackUntil",
    ),
    "ConnectionPage": page_of("integrations", "Connection"),
    "ConnectionFilter": page_query(requests.LISTING, kind=TEXT, status=_STATUS, provider=TEXT),
}

_CALL_LOGS: dict[str, Schema] = {
    "CallLog": object_of(
        {
            "id": NUMBER,
            "method": TEXT,
            "url": TEXT,
            "status": {"type": ["integer", "null"]},
            "milliseconds": COUNT,
            "error": or_null(TEXT),
            "requestBody": or_null(TEXT),
            "responseBody": or_null(TEXT),
            "requestId": TEXT,
            "actorKind": {"enum": ["person", "machine", "system"]},
            "actor": TEXT | {"description": "A person's subject, a key's id, a job's name."},
            "sourceIp": or_null(TEXT),
            "credentialVersion": {
                "type": ["integer", "null"],
                "description": "Null where the secrets were only tested and not stored.",
            },
            "createdAt": TIME,
        }
    ),
    "CallLogPage": page_of("logs", "CallLog"),
    "CallLogFilter": page_query(call_log.LISTING),
}

_OUTCOME = {"code": TEXT, "message": TEXT, "nextAction": TEXT}
_CHECK = object_of(
    {
        "status": _HEALTH_STATUS,
        **_OUTCOME,
        "responseMs": or_null(COUNT),
        "checkedAt": TIME,
        "changedAt": TIME,
    }
)

_HEALTH: dict[str, Schema] = {
    "ConnectionTest": object_of(
        {
            "success": {"type": "boolean"},
            **_OUTCOME,
            "tested": list_of(TEXT) | {"description": "Secret fields that the platform accepted in this test."},
            "untested": list_of(TEXT) | {"description": "Secret fields that the test call does not use."},
            "responseMs": COUNT,
            "details": object_of(
                {"accountName": or_null(TEXT), "accountId": or_null(TEXT), "locationId": or_null(TEXT)}
            )
            | {"description": "The account, as far as its platform tells it in the answer to the test call."},
        }
    ),
    "Health": object_of(
        {
            "id": ID,
            "name": TEXT,
            "type": TEXT,
            "status": _STATUS,
            "isActive": {"type": "boolean"},
            "lastSync": or_null(TIME),
            "errorMessage": or_null(TEXT),
            "checks": object_of({"connection": {"oneOf": [_CHECK, {"type": "null"}]}}),
        }
    ),
}

SCHEMAS = _CONNECTIONS | _CALL_LOGS | _HEALTH
