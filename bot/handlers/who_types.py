"""An operator types: told to the shopper's open windows, and forgotten. Nothing is stored."""

from bot.commands import OperatorTypes
from bot.conversation import Stage
from bot.entries import Author
from bot.handlers import handoff
from bot.lanes import BindingState
from bot.ports import UnitOfWork


def operator_types(uow: UnitOfWork, command: OperatorTypes) -> None:
    """In a case's thread. The shopper is told of the owner only, and where what the owner writes would leave: whoever
    else types there writes nothing to them. That it may become a note nobody can know yet."""
    place = command.place
    binding = uow.lanes.binding_at(place.platform, place.channel, place.root)
    if binding is None or binding.state is not BindingState.OPEN:
        return
    conversation = handoff.case(uow, binding.conversation)
    team = uow.settings.team(conversation.team)
    operator = uow.people.known(command.actor)
    if operator is None or conversation.owner_id != operator.id or team.relay != "owner":
        return
    if conversation.stage is Stage.ACTIVE:
        name = command.actor.in_team(team.name).first_name
        uow.typed(conversation.number, str(Author.OPERATOR), name)
