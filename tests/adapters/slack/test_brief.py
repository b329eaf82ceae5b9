"""The morning's brief as Slack takes it: the largest there can be."""

from adapters.slack.rendering import render_answer
from bot import brief
from bot.conversation import Conversation, Stage
from bot.people import Shopper
from bot.settings import TeamPolicy
from tests.fakes.slack.blocks import elements, problems
from tests.storage.world import START


def test_the_largest_brief_fits_and_keeps_every_button() -> None:
    team = TeamPolicy("support", "fake", "C1")

    class Full:
        """A unit of work with 200 long cases."""

        now = START

        class conversations:  # noqa: N801
            @staticmethod
            def queue(_team: str, limit: int) -> list[Conversation]:
                return [
                    Conversation(
                        number=10**6 + n, store="main", external_id=f"c-{n}", shopper_id=n, channel="chat",
                        stage=Stage.WAITING, team="support", created_at=START, updated_at=START,
                        waiting_since=START - n * 600, packet={"issue": "<!here> & [x](http://evil) " * 40},
                    )
                    for n in range(limit)
                ]  # fmt: skip

        class people:  # noqa: N801
            @staticmethod
            def shopper(number: int) -> Shopper:
                return Shopper(number, "main", f"s-{number}", START, name="*Sarah* <@U1> " * 30, tier="vip")

    made = brief.opening(Full(), team)  # type: ignore[arg-type]
    assert made is not None
    shown = render_answer(made)
    assert problems(shown.blocks) == []
    actions = [element["action_id"] for _, element in elements(shown.blocks)]
    assert sum(one.startswith("baton:claim") for one in actions) == brief.MOST_ROWS
    assert sum(one.startswith("baton:share_out") for one in actions) == 1
    assert "<@U1>" not in str(shown.blocks)
    assert "|x>" not in str(shown.blocks), "a shopper's words must not become a link"
    assert all(len(str(button.value)) < 2000 for button in made.buttons)
