"""Slack as a team's chat. `outbound` speaks, `inbound` listens, `app` connects; only `app` needs Bolt."""
