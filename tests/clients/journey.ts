// Calls the operations with the client that @hey-api/openapi-ts generates: `node journey.ts GATEWAY USER KEY`.
// An AssertionError says which answer differs.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { client } from './api/client.gen.ts';
import {
  createTask,
  deleteTask,
  getSession,
  getTask,
  listNotifications,
  listTasks,
  markNotificationsRead,
  type NewTask,
  type Notification,
  type Problem,
  type Task,
  undeleteTask,
  updateTask,
  watchEvents,
} from './api/index.ts';

const STRANGERS_PER_MINUTE = 60;

const [gateway, user, key] = process.argv.slice(2);
client.setConfig({ baseUrl: gateway, auth: key });

const { data: session } = await getSession({ throwOnError: true });
assert.deepEqual(session, { user });

const task = await create();
await listInPages();
await deleteAndUndelete(await change(task));
await breakARule();
await markAsRead(await watch());
await exceedTheLimit();

function etagOf(task: Task) {
  return `"${task.etag}"`;
}

function assertProblem(error: Problem | undefined, status: number, reason: string): asserts error {
  assert.deepEqual([error?.status, error?.reason], [status, reason]);
}

/** The same Idempotency-Key creates one task. */
async function create() {
  const body: NewTask = { title: 'Buy milk', priority: 'HIGH', due_time: '2030-01-31T12:00:00Z' };
  const headers = { 'Idempotency-Key': randomUUID() };
  const { data: task, response } = await createTask({ body, headers, throwOnError: true });
  assert.equal(response.headers.get('Location'), `/api/v1/tasks/${task.id}`);
  assert.equal(response.headers.get('ETag'), etagOf(task));
  const { data: again } = await createTask({ body, headers, throwOnError: true });
  assert.deepEqual(again, task);
  return task;
}

/** The pages together have every task once. */
async function listInPages() {
  const label = randomUUID();
  const created = [];
  for (let number = 0; number < 5; number++) {
    const { data } = await createTask({ body: { title: `Task ${number}`, labels: [label] }, throwOnError: true });
    created.unshift(data.id);
  }
  const listed = [];
  let page_token = '';
  do {
    const { data: page } = await listTasks({
      query: { labels: [label], page_size: 2, page_token },
      throwOnError: true,
    });
    listed.push(...page.tasks.map((task) => task.id));
    page_token = page.next_page_token;
  } while (page_token);
  assert.deepEqual(listed, created);
}

/** A change with If-Match is made once; null clears a field. */
async function change(task: Task) {
  const path = { id: task.id };
  const { response } = await getTask({ path, headers: { 'If-None-Match': etagOf(task) } });
  assert.equal(response?.status, 304);

  const ifUnchanged = { path, body: { status: 'DONE' }, headers: { 'If-Match': etagOf(task) } } as const;
  const { data: done } = await updateTask({ ...ifUnchanged, throwOnError: true });
  assert.deepEqual([done.status, done.due_time], ['DONE', task.due_time]);
  const { error } = await updateTask(ifUnchanged);
  assertProblem(error, 412, 'ETAG_MISMATCH');

  const { data: cleared } = await updateTask({ path, body: { due_time: null }, throwOnError: true });
  assert.deepEqual([cleared.title, cleared.due_time], [task.title, null]);
  return cleared;
}

/** A deleted task is found only with `show_deleted`, until it is undeleted. */
async function deleteAndUndelete(task: Task) {
  const path = { id: task.id };
  assertProblem((await undeleteTask({ path })).error, 409, 'NOT_DELETED');

  await deleteTask({ path, headers: { 'If-Match': etagOf(task) }, throwOnError: true });
  assertProblem((await getTask({ path })).error, 404, 'TASK_NOT_FOUND');
  const { data: deleted } = await getTask({ path, query: { show_deleted: true }, throwOnError: true });
  assert(deleted.delete_time);
  const { data: undeleted } = await undeleteTask({ path, throwOnError: true });
  assert.equal(undeleted.delete_time, null);
}

/** The violations name the fields. */
async function breakARule() {
  const { error } = await createTask({ body: { title: ' ', labels: ['shop', ''] } });
  assertProblem(error, 422, 'INVALID_FIELD');
  assert.deepEqual(
    error.violations?.map((violation) => violation.field),
    ['title', 'labels[1]'],
  );
}

/** The event stream sends a new task and its notification, in either order. */
async function watch() {
  const opened = Promise.withResolvers<void>();
  const stop = new AbortController();
  const { stream } = await watchEvents({
    signal: stop.signal,
    onSseEvent: () => opened.resolve(),
    onSseError: opened.reject,
    sseMaxRetryAttempts: 1,
  });
  const first = stream.next(); // sends the request
  await opened.promise;
  const { data: task } = await createTask({ body: { title: 'Buy bread' }, throwOnError: true });
  let created: Task | undefined;
  let notification: Notification | undefined;
  for (let event = await first; !event.done; event = await stream.next()) {
    // The document calls the stream text; the client has parsed the data of each event.
    const data = event.value as unknown as Task | Notification;
    if ('task_id' in data) {
      notification = data.task_id === task.id ? data : notification;
    } else {
      created = data.id === task.id ? data : created;
    }
    if (created && notification) {
      break;
    }
  }
  await stream.return();
  stop.abort();
  assert.deepEqual(created, task);
  assert(notification);
  return notification;
}

/** A notification is unread until it is marked. */
async function markAsRead({ id }: Notification) {
  assert.equal((await inInbox(id)).read_time, null);
  await markNotificationsRead({ body: { ids: [id] }, throwOnError: true });
  assert((await inInbox(id)).read_time);
}

async function inInbox(id: string) {
  const { data: page } = await listNotifications({ throwOnError: true });
  const notification = page.notifications.find((each) => each.id === id);
  assert(notification);
  return notification;
}

/** The gateway limits requests without a valid key per address; Retry-After says for how long. */
async function exceedTheLimit() {
  const stranger = { auth: 'no-such-key' };
  let refused = await listTasks(stranger);
  // Twice as many, because the minute may end in between.
  for (let sent = 1; refused.response?.status === 401 && sent < 2 * STRANGERS_PER_MINUTE; sent++) {
    assertProblem(refused.error, 401, 'UNAUTHORIZED');
    refused = await listTasks(stranger);
  }
  assertProblem(refused.error, 429, 'TOO_MANY_REQUESTS');
  const seconds = Number(refused.response?.headers.get('Retry-After'));
  assert(seconds >= 1 && seconds <= 60, `Retry-After: ${seconds}`);
}
