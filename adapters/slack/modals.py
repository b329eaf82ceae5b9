"""Forms in Slack's windows: opened within three seconds of a click, filled in, given to the desk.

Slack opens a window only with a trigger that lives three seconds, so a light one is opened at once and filled when
the form is known. A submission must be answered within three seconds as well: the window says so while it waits, and
closes only after the commit.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from adapters.slack.allowance import Importance
from adapters.slack.answers import Answers, Errand, refusal
from adapters.slack.api import SlackApi
from adapters.slack.blocks import MORE, rest_of_menu
from adapters.slack.clicks import MODAL, Click, Where, where_of
from adapters.slack.listings import Listings
from adapters.slack.modal_views import (
    Task,
    View,
    answer_view,
    field_of_choice,
    form_view,
    menu_view,
    says_view,
    task_of,
    values_of,
    wait_view,
    wrong_field,
)
from bot import texts
from bot.errors import Busy, DeliveryFault, Refused
from bot.forms import Form
from bot.people import Actor
from bot.ports import Desk
from bot.posts import Action, Answer

log = logging.getLogger("baton.slack")

ActorOf = Callable[[Where], Awaitable[Actor]]
ANSWER_WITHIN = 2.0
"""Seconds for the answer to a submission or a command; Slack waits three."""
OPEN_PATIENCE = 1.0
_CLOSED = frozenset({"not_found", "view_not_found", "hash_conflict"})


class Modals:
    """Opens windows and takes what was filled in. `errand` runs what must not hold up an acknowledgement."""

    def __init__(
        self,
        api: SlackApi,
        desk: Desk,
        answers: Answers,
        listings: Listings,
        actor_of: ActorOf,
        errand: Errand,
    ):
        self._api = api
        self._desk = desk
        self._answers = answers
        self._listings = listings
        self._actor_of = actor_of
        self._errand = errand

    # Opening

    def open(self, click: Click) -> None:
        """The form behind a button, or what a menu had no room for."""
        if click.name == MORE:
            entries = rest_of_menu(click.value)
            self.show(click.where, ready(menu_view(entries, click.where)))
        else:
            self.show(click.where, self._form(click))

    def show(self, where: Where, making: Awaitable[View]) -> None:
        """A window that is opened now and shows what `making` gives; the window that was clicked in, if it was one."""
        self._errand(self._show(where, making))

    async def _show(self, where: Where, making: Awaitable[View]) -> None:
        made = asyncio.ensure_future(_made(making, where))  # while Slack opens the window
        try:
            view_id = where.view_id if where.kind == MODAL else await self._opened(where)
        except DeliveryFault as fault:
            made.cancel()
            log.warning("slack: a window could not be opened", extra={"reason": fault.reason})
            self._answers.tell(where, Answer(texts.windows.window_not_opened()))
            return
        await self.update(view_id, await made)

    async def _opened(self, where: Where) -> str:
        answer = await self._api.call(
            "views.open",
            importance=Importance.ANSWER,
            patience=OPEN_PATIENCE,
            trigger_id=where.trigger_id,
            view=wait_view(where),
        )
        return str((answer.get("view") or {}).get("id") or "")

    async def update(self, view_id: str, view: View) -> None:
        """Show this in an open window; one that was closed meanwhile is left alone."""
        try:
            await self._api.call(
                "views.update",
                importance=Importance.ANSWER,
                repeatable=True,
                unless=_CLOSED,
                view_id=view_id,
                view=view,
            )
        except DeliveryFault as fault:
            log.warning("slack: a window could not be filled", extra={"reason": fault.reason})

    async def _form(self, click: Click) -> View:
        actor = await self._actor_of(click.where)
        form = await self._desk.form(Action(click.name), click.number, actor)
        return form_view(form, click.where)

    def next_step(self, click: Click) -> None:
        """A choice that is answer enough."""
        task = task_of(click.where.view, click.where)
        if task is not None:
            self.show(click.where, self._next(task, {field_of_choice(click.where.view): click.value}))

    async def _next(self, task: Task, values: dict[str, str]) -> View:
        result = await self._desk.submit(
            task.action, task.number, values, await self._actor_of(task.where), task.where.trigger_id
        )
        return form_view(result, task.where) if isinstance(result, Form) else answer_view(result, task.where)

    # Filled in

    async def submitted(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """What Slack is answered: None closes the window. Raises what must not be acknowledged."""
        view, where = body.get("view") or {}, where_of(body)
        task = task_of(view, where) if where is not None else None
        if task is None or where is None:
            return None
        storing = asyncio.ensure_future(self._outcome(task, view))
        self._errand(ended(storing))  # whatever happens to the request, what was begun is not cut short
        done, _ = await asyncio.wait({storing}, timeout=ANSWER_WITHIN)
        if done:
            return storing.result()
        self._errand(self._late(storing, where))
        return {"response_action": "update", "view": wait_view(where)}

    async def _outcome(self, task: Task, view: Mapping[str, Any]) -> dict[str, Any] | None:
        """`id`: the same window submitted twice, because nobody saw the first answer, counts once."""
        where, named = task.where, f"{view.get('id')}:{view.get('hash')}"
        actor = await self._actor_of(where)
        try:
            result = await self._desk.submit(task.action, task.number, values_of(view), actor, named)
            if isinstance(result, Form):
                return {"response_action": "update", "view": form_view(result, where)}
        except Refused as refused:
            beside = wrong_field(view, refused)
            if beside is not None:
                return {"response_action": "errors", "errors": beside}
            return {"response_action": "push", "view": answer_view(refusal(refused), where)}
        except Busy:
            return {"response_action": "push", "view": says_view(texts.windows.window_failed(), where)}
        self._listings.tell(where, actor, result)
        return None

    async def _late(self, storing: "asyncio.Future[dict[str, Any] | None]", where: Where) -> None:
        """The window has been waiting, and cannot be closed from here."""
        try:
            outcome = await storing
        except Exception as error:  # noqa: BLE001  the root of the task
            log.error("slack: a form failed", extra={"fault": type(error).__name__})
            await self.update(where.view_id, says_view(texts.windows.window_failed(), where))
            return
        outcome = outcome or {}
        words = next(iter(outcome.get("errors", {}).values()), texts.windows.WINDOW_DONE)
        await self.update(where.view_id, outcome.get("view") or says_view(words, where))


async def _made(making: Awaitable[View], where: Where) -> View:
    """What the window shall show, whatever happens."""
    try:
        return await making
    except Refused as refused:
        return answer_view(refusal(refused), where)
    except Exception as error:  # noqa: BLE001  whoever looks at a window is told something
        log.warning("slack: a window has nothing to show", extra={"fault": type(error).__name__})
        return says_view(texts.windows.window_failed(), where)


async def ready(view: View) -> View:
    """A window that is known already."""
    return view


async def ended(work: "asyncio.Future[Any]") -> None:
    """Waits for it, and hears how it ended: nobody else may be there to."""
    await asyncio.wait({work})
    if not work.cancelled():
        work.exception()
