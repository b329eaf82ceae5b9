"""The application everything mounts on, and its description of itself."""

import json

import pytest
from aiohttp import web

from adapters.storefront import openapi


async def test_alive_and_ready(shop):
    assert (await shop.call("GET", "/healthz"))[:2] == (200, {"status": "ok"})
    assert (await shop.call("GET", "/readyz"))[:2] == (200, {"ready": True, "problems": {}})


async def test_a_problem_makes_it_unready_and_a_broken_check_is_one(shop):
    async def well():
        return None

    async def ill():
        return "The database is behind; run python -m bot migrate."

    async def broken():
        raise RuntimeError("password is hunter2")

    for name, check in (("chat", well), ("database", ill), ("mail", broken)):
        shop.server.add_check(name, check)
    status, body, _ = await shop.call("GET", "/readyz")
    assert (status, body["ready"]) == (503, False)
    assert set(body["problems"]) == {"database", "mail"}
    assert "hunter2" not in json.dumps(body)


async def test_metrics_are_open_on_loopback_and_name_no_customer(shop):
    await shop.call("GET", "/v1/conversations/c-secret")
    async with shop.session.get(f"{shop.url}/metrics") as response:
        text = await response.text()
        assert response.status == 200
    assert 'baton_http_requests_total{route="GET /v1/conversations/{id}",status="404"} 1.0' in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("0.0.0.0", {}, 401),
        ("0.0.0.0", {"Authorization": "Bearer wrong"}, 401),
        ("0.0.0.0", {"Authorization": "Bearer admin"}, 200),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 401),
    ],
)
async def test_metrics_off_loopback_need_the_admin_token(open_shop, host, headers, status):
    shop = await open_shop(host=host)
    async with shop.session.get(f"{shop.url}/metrics", headers=headers) as response:
        assert response.status == status


async def test_no_admin_token_opens_nothing(open_shop):
    shop = await open_shop(host="0.0.0.0", admin_token="")
    async with shop.session.get(f"{shop.url}/metrics", headers={"Authorization": "Bearer "}) as response:
        assert response.status == 401


async def test_other_adapters_get_the_same_errors_for_json_they_read_themselves(open_shop):
    shop = await open_shop()
    await shop.server.stop()

    async def theirs(request: web.Request) -> web.Response:
        return web.json_response(await request.json())

    async def ours(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response(json.loads("{"))

    app = web.Application(middlewares=list(shop.server.app.middlewares))
    app.add_routes([web.post("/theirs", theirs), web.post("/ours", ours)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    for path, raw, status in (
        ("theirs", b"{x", 400),
        ("theirs", b"", 400),
        ("theirs", b"\xff", 400),
        ("ours", b"[]", 500),
    ):
        async with shop.session.post(f"{url}/{path}", data=raw) as response:
            assert response.status == status
    await runner.cleanup()


async def test_every_mounted_route_is_documented_and_the_other_way_round(shop):
    _, spec, _ = await shop.call("GET", "/openapi.json")
    assert spec["openapi"] == "3.1.0"
    documented = {(method.upper(), path) for path, methods in spec["paths"].items() for method in methods}
    mounted = {
        (route.method, route.resource.canonical)
        for route in shop.server.app.router.routes()
        if route.resource.canonical.startswith(("/v1", "/widget")) and route.method != "OPTIONS"
    }
    assert documented == mounted


async def test_every_reference_of_the_document_leads_somewhere(shop):
    _, spec, _ = await shop.call("GET", "/openapi.json")

    def references(part):
        if isinstance(part, dict):
            if "$ref" in part:
                yield part["$ref"]
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    names = {ref.removeprefix("#/components/schemas/") for ref in references(spec)}
    assert names <= set(spec["components"]["schemas"])
    required = spec["components"]["schemas"]["Escalation"]["required"]
    assert set(required) == {"conversation_id", "transcript"}


async def test_the_docs_page_asks_nobody_else_for_anything(shop):
    async with shop.session.get(f"{shop.url}/docs") as response:
        html = await response.text()
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "/v1/escalations" in html
    assert "<script" not in html
    assert "src=" not in html


def test_the_docs_page_escapes_what_it_shows():
    spec = openapi.document([], "http://x/<script>")
    assert "<script>" not in openapi.page(spec)
