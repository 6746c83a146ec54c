"""Where a subscription stands: its life as it changes, shown to operators whenever it does."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate, TypedSearchAttributes

with workflow.unsafe.imports_passed_through():
    from activities import attributes
    from domain import outlook
    from domain.decisions import Renewed
    from domain.messages import Decision, Life, OrderAnswer, Refused, State, Status
    from domain.milestones import Milestones
    from domain.tasks import Proof
    from domain.term import Term

REMEMBERED = 20
"""So many answers and refusals are carried from run to run: enough for any repeat, and the state stays small."""


class Standing:
    """Holds the one `Life` of a run and publishes it: search attributes and current details, only what changed."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.turnstile = asyncio.Lock()
        """Held by whoever answers a request, or steps out of the term that requests are about: one at a time."""

    def change(self, **fields: Any) -> None:
        """Replace some fields of the life and show it."""
        self.life = self.life.model_copy(update=fields)
        self.publish()

    def proved(self, proof: Proof) -> None:
        """The vendor's record shows this license now: it may have another size or edition."""
        if proof.title and proof.title != self.life.product:
            self.change(product=proof.title)

    def begin_term(self, term: Term, plan: Milestones, auto_renew: bool) -> None:
        """Step into the next term. Not published here: the run that begins it does that."""
        before = self.life
        self.life = before.model_copy(
            update={
                "renewed": Renewed(before.term.expires_on, before.plan.cancel_by, before.plan.term_ends_at),
                "term": term,
                "plan": plan,
                "state": State.ACTIVE if auto_renew else State.CANCELLED,
                "auto_renew": auto_renew,
                "ends_after_next": False,
                "reminders_sent": 0,
                "round": 1,
                "promise_at": None,
                "promise_broken": any(workflow.now() >= paid.promise_at for paid in self.life.open_orders),
                "failure": None,
            }
        )

    def answered(self, decision: Decision, **fields: Any) -> None:
        """Remember an answer (R10), with what it changes."""
        self.change(answers=(*self.life.answers, decision)[-REMEMBERED:], **fields)

    def refused(self, refused: Refused) -> None:
        """Remember a refused signal."""
        self.change(refusals=(*self.life.refusals, refused)[-REMEMBERED:])

    def answer_to(self, request_id: str) -> Decision | None:
        """The remembered answer to a request, if it is a repeat (R10)."""
        return next((a for a in self.life.answers if request_id and a.request_id == request_id), None)

    def publish(self) -> None:
        """Show the life in the Temporal UI; a search attribute is written only when it differs."""
        updates = _differences(workflow.info().typed_search_attributes, attributes.attributes_of(self.life))
        if updates:
            workflow.upsert_search_attributes(updates)
        workflow.set_current_details(outlook.markdown(self.life))

    def status(self, last_order: OrderAnswer | None) -> Status:
        """The answer to the `status` query."""
        life = self.life
        return Status(
            subscription_id=life.subscription_id,
            state=life.state,
            product=life.product,
            term=life.term,
            plan=life.plan,
            auto_renew=life.auto_renew,
            ends_after_next=life.ends_after_next,
            next_step=outlook.next_step(life),
            promise_at=life.soonest_promise_at,
            promise_broken=life.promise_broken,
            last_failure=life.failure,
            decision=life.answers[-1] if life.answers else None,
            refusals=life.refusals,
            open_orders=life.open_orders,
            unpaid_orders=life.unpaid_orders,
            last_order=last_order,
        )


def _differences(
    shown: TypedSearchAttributes, wanted: TypedSearchAttributes
) -> list[SearchAttributeUpdate[Any]]:
    """What must be written for `shown` to become `wanted`."""
    updates: list[SearchAttributeUpdate[Any]] = []
    for key in attributes.ALL:
        before, after = shown.get(key), wanted.get(key)
        if before != after:
            updates.append(key.value_unset() if after is None else key.value_set(after))
    return updates
