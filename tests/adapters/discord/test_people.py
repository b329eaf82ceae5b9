"""Who somebody is: by Discord's roles and the policy, from an event or by asking; and who is there."""

import pytest

from adapters.discord.directory import Directory
from bot.errors import PlaceFault
from bot.people import Role
from bot.settings import TeamPolicy
from tests.adapters.discord.conftest import Room


def team(**changes: object) -> TeamPolicy:
    return TeamPolicy("support", "discord", "#support", **changes)  # type: ignore[arg-type]


def directory(room: Room, *teams: TeamPolicy) -> Directory:
    return room.another(*teams).directory


async def roles(room: Room, policy: TeamPolicy) -> dict[str, Role]:
    names = {room.anna: "anna", room.lea: "lea", room.gus: "gus"}
    members = await directory(room, policy).members("#support", policy)
    return {names.get(one.actor.id, one.actor.name): one.actor.role for one in members}


async def test_without_a_roster_who_sees_the_channel_is_an_operator_and_who_manages_threads_leads(
    room: Room,
) -> None:
    room.discord.add_user("beep", bot=True)
    found = await roles(room, team())
    assert {name: found.get(name) for name in ("anna", "lea", "gus")} == {
        "anna": Role.OPERATOR, "lea": Role.LEAD, "gus": None,
    }  # fmt: skip
    assert "beep" not in found
    assert "Baton" not in found


async def test_the_policys_lists_and_its_role_count(room: Room) -> None:
    care = room.discord.add_role("care")
    await room.discord.set_roles(room.gus, [care])
    by_role = await roles(room, team(group="@care"))
    assert {name: by_role.get(name) for name in ("gus", "lea", "anna")} == {
        "gus": Role.OPERATOR, "lea": Role.LEAD, "anna": None,
    }  # fmt: skip
    named = await roles(room, team(operators=(room.gus,), leads=("@anna",)))
    assert {name: named[name] for name in ("gus", "anna")} == {"gus": Role.OPERATOR, "anna": Role.LEAD}


async def test_a_nickname_is_shown_and_makes_nobody_a_lead(room: Room) -> None:
    """Anybody may call themselves as they like; usernames are unique."""
    await room.discord.rename_user(room.gus, "lea")
    actor = await directory(room, team(leads=("@lea",), operators=("@anna",))).actor(room.gus)
    assert (actor.name, actor.highest) == ("lea", Role.NONE)


async def test_an_events_member_is_enough_to_know_who_it_is(room: Room) -> None:
    found = directory(room, team())
    event = room.discord.world.member_json(room.anna)
    await found.guild()
    asked = len(room.discord.calls_to("get_member"))
    actor = await found.actor_of(event)
    assert (actor.name, actor.first_name, actor.highest) == ("Anna Berg", "Anna", Role.OPERATOR)
    assert len(room.discord.calls_to("get_member")) == asked


async def test_who_left_the_guild_is_nobodys_operator(room: Room) -> None:
    found = directory(room, team(operators=(room.anna,)))
    assert (await found.actor(room.anna)).highest is Role.OPERATOR
    data = {"guild_id": room.discord.guild_id, "user": {"id": room.anna}}
    await room.discord.leave(room.anna)
    found.learn("GUILD_MEMBER_REMOVE", data)
    assert (await found.actor(room.anna)).highest is Role.NONE


async def test_somebody_who_may_not_be_looked_up_now_is_not_guessed(room: Room) -> None:
    from tests.fakes.discord import Fault

    room.discord.faults.add("get_member", Fault.http(503))
    with pytest.raises(PlaceFault):
        await directory(room, team()).actor(room.gus)


async def test_presence_is_unknown_until_the_gateway_tells_it(room: Room) -> None:
    found = directory(room, team())
    assert {one.present for one in await found.members("#support", team())} == {None}
    found.hears_presence(True)
    guild = room.discord.world.guild_json(members=True, presences=True)
    found.learn("GUILD_CREATE", guild)
    present = {one.actor.id: one.present for one in await found.members("#support", team())}
    assert present[room.anna] is True
    status = {"guild_id": room.discord.guild_id, "user": {"id": room.anna}, "status": "idle"}
    found.learn("PRESENCE_UPDATE", status)
    present = {one.actor.id: one.present for one in await found.members("#support", team())}
    assert present[room.anna] is False


async def test_without_the_members_intent_nobody_is_listed_and_it_is_said(room: Room) -> None:
    room.discord.privileged_intents.discard("members")
    with pytest.raises(PlaceFault, match="members_intent"):
        await directory(room, team()).members("#support", team())
    (said,) = await room.another(team()).check("#support")
    assert "Server Members intent" in said


async def test_another_guilds_events_change_nothing(room: Room) -> None:
    found = directory(room, team())
    await found.guild()
    found.learn("GUILD_CREATE", {"id": "1", "channels": [], "roles": []})
    assert await found.channel_id("#support") == room.channel


async def test_a_threads_channel_is_known_from_events_or_asked_once(room: Room) -> None:
    place = await room.thread()
    found = directory(room, team())
    for _ in range(3):
        assert await found.parent_of(place.root) == room.channel
    assert len(room.discord.calls_to("get_channel")) == 1
    await found.guild()
    assert await found.parent_of(room.channel) == ""


# The place


@pytest.mark.parametrize(
    "permission", ["send_messages", "create_public_threads", "send_messages_in_threads", "embed_links",
                   "read_message_history", "add_reactions"],
)  # fmt: skip
async def test_each_permission_that_is_needed_is_named_with_its_cure(room: Room, permission: str) -> None:
    room.discord.revoke(permission, room.channel)
    told = await room.chat.trouble("#support")
    assert told is not None
    assert "#support" in told
    assert permission.split("_", maxsplit=1)[0].capitalize() in told
    room.discord.grant(permission, room.channel)
    assert await room.chat.trouble("#support") is None


async def test_a_hidden_channel_a_kicked_bot_and_a_refused_token_are_told_apart(room: Room) -> None:
    room.discord.revoke("view_channel", room.channel)
    assert "can see no channel #support" in (await room.chat.trouble("#support") or "")
    room.discord.grant("view_channel", room.channel)
    await room.discord.kick_bot()
    assert "is not in the Discord server" in (await room.chat.trouble("#support") or "")
    await room.discord.invite_bot()
    assert await room.chat.trouble("#support") is None
    room.discord.revoke_token()
    assert "DISCORD_TOKEN" in (await room.chat.trouble("#support") or "")


async def test_a_channel_is_lost_only_when_the_team_has_another_one(room: Room) -> None:
    other = room.discord.add_channel("second")
    await room.discord.delete_channel(room.channel)
    assert not await room.chat.channel_lost(room.channel, room.channel)
    assert await room.chat.channel_lost(room.channel, other)
    assert not await room.chat.channel_lost(other, other)
