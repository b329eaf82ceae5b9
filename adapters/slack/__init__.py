"""Slack as a team's chat. `outbound` speaks, within Slack's `allowance`; `inbound` and `listeners` hear what comes by
`socket_mode` or `http_mode`; `app` joins them. Only the last four need Bolt."""
