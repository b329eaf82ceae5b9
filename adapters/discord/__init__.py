"""Discord as a team's chat. `outbound` speaks, by `api`, within Discord's limits; `client` holds the gateway, from
which `inbound` and `listeners` hear; `app` joins them."""
