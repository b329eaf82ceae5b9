"""One short function per command. Each runs inside the writer's transaction and may be run again.

`HANDLERS` is the whole list; wiring adds the courier's `Advance`, which needs the chats.
"""

from bot import commands
from bot.handlers import cases, due, intake, relay, shopper, team
from bot.ports import Handler

HANDLERS: dict[type, Handler] = {
    commands.Escalate: intake.escalate,
    commands.LogTurn: intake.log_turn,
    commands.EditTurn: intake.edit_turn,
    commands.DeleteTurn: intake.delete_turn,
    commands.ResolveByStore: intake.resolve,
    commands.HandBackByStore: intake.hand_back,
    commands.RecordOutcome: intake.record_outcome,
    commands.IssueToken: intake.issue_token,
    commands.ShopperWrites: shopper.writes,
    commands.ShopperAsksForPerson: shopper.asks_for_person,
    commands.ShopperHandsBack: shopper.hands_back,
    commands.Seen: shopper.seen,
    commands.Goodbye: shopper.goodbye,
    commands.Typing: shopper.typing,
    commands.Claim: cases.claim,
    commands.Assign: cases.assign,
    commands.Release: cases.release,
    commands.HandBack: cases.hand_back,
    commands.Resolve: cases.resolve,
    commands.SendAside: relay.send_aside,
    commands.OperatorWrites: relay.operator_writes,
    commands.ThreadMessage: relay.thread_message,
    commands.ThreadEdit: relay.thread_edit,
    commands.ThreadDelete: relay.thread_delete,
    commands.RootDeleted: team.root_deleted,
    commands.TeamMembers: team.members,
    commands.RunDue: due.run,
    commands.HoldLease: due.hold_lease,
    commands.RetryDead: team.retry_dead,
}
