"""Calendars of a connection's platform: listed, their free slots, and times blocked in them."""

from causeway.calendars.answers import BlockedSlot, Calendar, CalendarList, FreeSlots
from causeway.calendars.requests import BlockedSlotDraft, FreeSlotsQuery
from causeway.connections.connection import ConnectionReference
from causeway.connections.use import open_platform
from causeway.errors.requests import InvalidRequest
from causeway.platforms.kinds.calendars import CALENDAR_ID, Calendars
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import Expected


def list_calendars(context: RequestContext, reference: ConnectionReference) -> CalendarList:
    """Return a connection's calendars.

    Raises:
        NotSupported: the connection's platform has no calendars.
        ConnectionNotFound, IntegrationNotActive, TemplateMoved, CredentialMissing, CredentialUnreadable,
        KeyServiceUnavailable: as open_platform.
        UnexpectedAnswer, and what OpenAccount.call raises: as the platform answered.
    """
    with open_platform(context, reference, Calendars) as (platform, account):
        found = platform.list_calendars(account)
    return CalendarList(calendars=[Calendar.model_validate(one) for one in found])


def free_slots(
    context: RequestContext, reference: ConnectionReference, calendar_id: str, query: FreeSlotsQuery
) -> FreeSlots:
    """Return the times of a day at which a calendar is free.

    Raises:
        InvalidRequest: the calendar's id is malformed.
        As list_calendars.
    """
    _check_id(calendar_id)
    with open_platform(context, reference, Calendars) as (platform, account):
        return FreeSlots(slots=platform.free_slots(account, calendar_id, query.wanted))


def block_slot(
    context: RequestContext,
    reference: ConnectionReference,
    calendar_id: str,
    draft: BlockedSlotDraft,
    expected: Expected,
) -> BlockedSlot:
    """Block a time of a calendar, so that nobody books it, and return the blocked time with the platform's id of it.

    Args:
        context: who blocks it.
        reference: the connection.
        calendar_id: the calendar.
        draft: the time.
        expected: the versions of the connection that the caller saw.

    Raises:
        InvalidRequest: the calendar's id is malformed.
        VersionMismatch: the connection is another version.
        ProviderOutcomeUnknown: the time may be blocked or not.
        As list_calendars.
    """
    _check_id(calendar_id)
    with open_platform(context, reference, Calendars, expected=expected) as (platform, account):
        block_id = platform.block_slot(account, calendar_id, draft.block)
    return BlockedSlot(block_id=block_id, calendar_id=calendar_id, **draft.model_dump())


def _check_id(calendar_id: str) -> None:
    if not CALENDAR_ID.fullmatch(calendar_id):
        raise InvalidRequest("The calendar's id must be letters, digits, _ and -")
