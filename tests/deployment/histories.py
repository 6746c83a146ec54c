"""The histories of a workflow's runs, and the payloads in them, as the server hands them out."""

from __future__ import annotations

from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory

CONTINUED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
SEARCHED = ("search_attributes", "upserted_search_attributes")
"""By these the server searches: never sealed."""


async def runs_of(client: Client, workflow_id: str) -> list[WorkflowHistory]:
    """The histories of its runs, oldest first."""
    described = await client.get_workflow_handle(workflow_id).describe()
    found, run_id = [], described.raw_description.workflow_execution_info.first_run_id
    while run_id:
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        found.append(history)
        last = history.events[-1]
        run_id = ""
        if last.event_type == CONTINUED:
            run_id = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return found


def payloads_in(message: Any) -> list[Payload]:
    """Every payload in a message, but those by which the server searches."""
    if isinstance(message, Payload):
        return [message]
    found: list[Payload] = []
    for field, value in message.ListFields():
        if field.name in SEARCHED or field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            values = value.values() if field.message_type.fields_by_name["value"].message_type else ()
        else:
            values = value if field.is_repeated else (value,)
        for part in values:
            found += payloads_in(part)
    return found
