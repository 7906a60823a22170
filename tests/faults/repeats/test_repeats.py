"""Repeated and concurrent requests at the edge (rows C9, C10, C11, C14, E4)."""

import asyncio
from collections import Counter
from typing import Any

import httpx

from tests.faults.harness.checker import check
from tests.faults.harness.load import Entry
from tests.faults.harness.report import Report
from tests.faults.harness.system import System, as_user, now

Answer = httpx.Response


async def create(client: httpx.AsyncClient, user: str, key: str, title: str = "Task 0") -> Answer:
    headers = {**as_user(user), "Idempotency-Key": key}
    return await client.post("/api/v1/tasks", json={"title": title}, headers=headers)


def entry(user: str, key: str, answer: Answer) -> Entry:
    time = now()
    body: dict[str, Any] = answer.json()
    return Entry(0, user, key, time, time, "ok", answer.status_code, body["id"])


async def test_50_concurrent_creates_with_one_key_make_one_task_and_one_notification(
    mesh: System, report: Report
) -> None:
    await mesh.start()
    async with httpx.AsyncClient(base_url=mesh.edge_url) as client:
        answers = await asyncio.gather(*(create(client, "ann", "same") for _ in range(50)))

    assert Counter(answer.status_code for answer in answers) == {201: 50}
    assert len({answer.json()["id"] for answer in answers}) == 1
    verdict = await check(mesh, [entry("ann", "same", answer) for answer in answers])
    report("C9", "50 concurrent creates with one key", verdict)
    assert verdict.notifications == 1


async def test_a_key_with_another_body_is_rejected_and_another_user_can_use_it(mesh: System, report: Report) -> None:
    await mesh.start()
    async with httpx.AsyncClient(base_url=mesh.edge_url) as client:
        first = await create(client, "ann", "key")
        reused = await create(client, "ann", "key", "Something else")
        other = await create(client, "bob", "key")

    assert (reused.status_code, reused.json()["reason"]) == (422, "REQUEST_ID_REUSED")
    assert "Task 0" not in reused.text
    assert other.json()["id"] != first.json()["id"]
    verdict = await check(mesh, [entry("ann", "key", first), entry("bob", "key", other)])
    report("C10, C11", "one key with another body and by another user", verdict)
    assert verdict.tasks == 2


async def test_one_of_20_writers_with_the_same_etag_succeeds_in_each_round(mesh: System, report: Report) -> None:
    await mesh.start()
    rounds, writers = 5, 20
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user("ann")) as client:
        created = await create(client, "ann", "key")
        path, etag, wins = created.headers["location"], created.headers["etag"], []
        for n in range(rounds):
            answers = await asyncio.gather(
                *(client.patch(path, json={"description": f"{n}"}, headers={"If-Match": etag}) for _ in range(writers))
            )
            statuses = Counter(answer.status_code for answer in answers)
            assert statuses == {200: 1, 412: writers - 1}
            wins += [answer for answer in answers if answer.status_code == 200]
            etag = wins[-1].headers["etag"]
        final = (await client.get(path)).json()

    assert (final["revision"], final["description"]) == (1 + rounds, f"{rounds - 1}")
    report(
        "C14",
        f"{writers} writers with the same ETag, {rounds} rounds",
        await check(mesh, [entry("ann", "key", created)]),
    )


async def test_a_task_of_another_user_is_indistinguishable_from_a_missing_one(mesh: System) -> None:
    await mesh.start()
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user("bob")) as client:
        path = (await create(client, "ann", "key")).headers["location"]
        nowhere = path[:-5] + "00000"
        for method, target in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", ":undelete")):
            body = {"json": {"title": "Mine"}} if method == "PATCH" else {}
            anns, nobodys = [
                await client.request(method, f"{place}{target}", **body)  # type: ignore[arg-type]
                for place in (path, nowhere)
            ]
            assert anns.status_code == nobodys.status_code == 404
            assert anns.json().keys() == nobodys.json().keys()
            assert anns.json()["reason"] == nobodys.json()["reason"]
        assert (await client.get("/api/v1/tasks", params={"show_deleted": True})).json()["tasks"] == []
        token = (await client.get("/api/v1/tasks", params={"page_size": 1})).json()["next_page_token"]
        assert token == ""
