"""Starting a subscription's workflow: the same id, attributes and summary whoever starts it, and never twice."""

from __future__ import annotations

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.attributes import attributes_of
from domain.messages import TASK_QUEUE, Life, subscription_workflow_id


async def start(client: Client, life: Life, again: bool = False) -> bool:
    """Start the workflow; False if it was started before, running or ended. Raises RPCError.

    `again`: it may have been started before, and must not be running; for one that was lost on the way.
    """
    try:
        await client.start_workflow(
            "Subscription",
            life,
            id=subscription_workflow_id(life.subscription_id),
            task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE
            if again
            else WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            search_attributes=attributes_of(life),
            static_summary=f"{life.product}, renewed for {life.customer_id}",
        )
    except WorkflowAlreadyStartedError:
        return False
    return True
