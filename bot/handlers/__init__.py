"""One short function per command. Each runs inside the writer's transaction and may be run again.

`HANDLERS` is the whole list; wiring adds the courier's `Advance`, which needs the chats.
"""

from bot import commands
from bot.handlers import cases, desk, due, files, intake, perform, relay, shopper, shortcut, taking_back, team
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
    commands.KeepFile: shopper.keep_file,
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
    commands.MoveToTeam: desk.move_to_team,
    commands.SetPriority: desk.set_priority,
    commands.SetTags: desk.set_tags,
    commands.Snooze: desk.snooze,
    commands.AddNote: desk.add_note,
    commands.AddOutcome: desk.add_outcome,
    commands.GoAway: desk.go_away,
    commands.ComeBack: desk.come_back,
    commands.SendAside: relay.send_aside,
    commands.SendMessage: shortcut.send_message,
    commands.OperatorWrites: relay.operator_writes,
    commands.ThreadMessage: relay.thread_message,
    commands.ThreadEdit: relay.thread_edit,
    commands.ThreadDelete: relay.thread_delete,
    commands.Perform: perform.perform,
    commands.Withdraw: taking_back.withdraw,
    commands.RootDeleted: team.root_deleted,
    commands.TeamMembers: team.members,
    commands.FileFetched: files.fetched,
    commands.SweepFiles: files.sweep,
    commands.FileHeldUp: files.held_up,
    commands.RunDue: due.run,
    commands.HoldLease: due.hold_lease,
    commands.RetryDead: team.retry_dead,
    commands.ShareOut: team.share_out,
    commands.OpenBrief: team.open_brief,
    commands.Told: team.first_told,
    commands.ChannelGone: team.channel_gone,
    commands.PlaceMended: team.place_mended,
}
for kind, handler in HANDLERS.items():
    HANDLERS[kind] = team.judging(handler)
