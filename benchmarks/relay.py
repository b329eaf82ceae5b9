"""An operator's message from Slack to the shopper's stream: floor and Baton in turn, Socket Mode and HTTP.

Every message of Baton's is committed before its acknowledgement; the floor stores nothing.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import median, percentile
from benchmarks.house import House, answered_threads, house, slack_with
from benchmarks.load import Line, Rounds, Thread, line
from benchmarks.processes import Process, calm, free_port, running
from benchmarks.wire import request

IN_FLIGHT = 64
WARM = 200
RATES = (300, 1000)
CHANNELS = 8


@dataclass(frozen=True)
class Plan:
    """How long: seconds of each round, about, and rounds; and how many threads are written in."""

    seconds: float
    rounds: int
    threads: int = 32


@dataclass
class Measured:
    """Of one system: messages per second, and delays in ms by rate, a value per round."""

    per_second: list[float] = field(default_factory=list)
    p50: dict[int, list[float]] = field(default_factory=dict)
    p99: dict[int, list[float]] = field(default_factory=dict)
    repeats: int = 0  # events that were not acknowledged in time, and sent again


async def measure(systems: Mapping[str, Rounds], watched: list[Process], plan: Plan) -> dict[str, Measured]:
    """All systems in turn, round after round, so that a disturbance of the machine meets them alike."""
    found = {name: Measured() for name in systems}
    speeds = {}
    for (
        name,
        one,
    ) in systems.items():  # caches, pools and the allocator warm up, and we learn how much it takes
        speeds[name], _ = await one.saturate(one.build(WARM), IN_FLIGHT)
    for _ in range(plan.rounds):
        for name, one in systems.items():
            await calm(watched)
            speed, told = await one.saturate(one.build(_amount(speeds[name], plan)), IN_FLIGHT)
            found[name].per_second.append(speed)
            found[name].repeats += told.repeats
        for rate in RATES:
            for name, one in systems.items():
                await calm(watched)
                amount = min(int(rate * plan.seconds), 2 * _amount(speeds[name], plan))
                told = await one.pace(one.build(amount), rate)
                delays = told.delays_ms()
                found[name].repeats += told.repeats
                found[name].p50.setdefault(rate, []).append(percentile(delays, 50))
                found[name].p99.setdefault(rate, []).append(percentile(delays, 99))
    return found


def _amount(speed: float, plan: Plan) -> int:
    """Messages for a round of about the planned length; a slow system is not drowned in more than it can swallow."""
    return max(WARM, int(speed * plan.seconds))


@asynccontextmanager
async def floor_line(folder: Path, over_http: bool, amount: int) -> AsyncIterator[tuple[Line, Process]]:
    """The bare Bolt listener with as many channels, threads and streams."""
    mode = "http" if over_http else "socket"
    async with AsyncExitStack() as stack:
        slack, channels, operators = await stack.enter_async_context(slack_with(CHANNELS))
        port = free_port()
        environment = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
        }
        arguments = ["-m", "benchmarks.floor", mode, str(port)]
        process = await stack.enter_async_context(
            running(f"floor-{mode}", arguments, port, folder, environment)
        )
        if over_http:
            slack.deliver_to(f"{process.url}/slack/events")
        else:
            await slack.connected()
        threads = []
        for index in range(amount):
            channel, operator = channels[index % CHANNELS], operators[index % CHANNELS]
            root = await slack.post_as_app(channel, "A case")
            stream = request("GET", f"/stream?thread={root}", b"")
            threads.append(Thread(channel, root, operator, stream, port))
        opened = await stack.enter_async_context(line(slack, threads, port if over_http else 0))
        yield opened, process


@asynccontextmanager
async def baton_line(where: House, amount: int) -> AsyncIterator[Line]:
    """Baton with its claimed cases."""
    threads = await answered_threads(where, amount)
    async with line(where.slack, threads, where.baton.port if where.over_http else 0) as opened:
        yield opened


async def against_floor(folder: Path, over_http: bool, plan: Plan) -> dict[str, Measured]:
    """`floor` and `ours`, by one way in."""
    name = "http" if over_http else "socket"
    async with (
        floor_line(folder, over_http, plan.threads) as (floor, floor_process),
        house(folder, f"baton-{name}", channels=CHANNELS, over_http=over_http) as ours,
        baton_line(ours, plan.threads) as opened,
    ):
        watched = [floor_process, *ours.batons]
        found = await measure({"floor": floor, "ours": opened}, watched, plan)
        ours.require_alive()
        return found


async def on_postgres(folder: Path, database: str, replicas: int, plan: Plan) -> Measured:
    """Baton alone, in Socket Mode, on PostgreSQL. With two replicas each event goes to one of them by chance, and
    half of the streams are open at each."""
    name = f"baton-pg{replicas}"
    async with (
        house(folder, name, channels=CHANNELS, database=database, replicas=replicas) as ours,
        baton_line(ours, plan.threads) as opened,
    ):
        found = await measure({"ours": opened}, ours.batons, plan)
        ours.require_alive()
        return found["ours"]


def summary(measured: Measured) -> dict[str, float]:
    """Medians over the rounds."""
    found = {"per_second": median(measured.per_second)}
    for rate in RATES:
        found[f"p50_{rate}"] = median(measured.p50[rate])
        found[f"p99_{rate}"] = median(measured.p99[rate])
    return found
