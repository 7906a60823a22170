// Watches tasks with several clients while tasks are created, and checks that every change is received.
import assert from 'node:assert/strict';

import grpc from '@grpc/grpc-js';

const CREATE_INTERVAL_MS = 20_000;
const CATCH_UP_LIMIT_MS = 10_000;
const SHORTEST_WATCH_SECONDS = 239; // the contract says four to five minutes; one second is for measurement error

// Creates a task every 20 s, and one after each end of a stream, before the watch resumes. After the given time it ends
// each watch, which must then resume and receive every change within 10 s.
export async function checkWatches(tasks, seconds, watches) {
  const created = [];
  const create = async () => created.push((await tasks.call('CreateTask', { task: { title: 'Watch' } })).task.id);
  const timer = setInterval(create, CREATE_INTERVAL_MS);
  const until = Date.now() + seconds * 1000;
  await Promise.all(watches.map((each) => follow(each, until, create, created)));
  clearInterval(timer);
}

async function follow(watch, until, create, created) {
  watch.seen = new Set();
  while (Date.now() < until) {
    checkEnd(watch, await readStream(watch, until), until);
    await create();
  }
  const wanted = [...created];
  const missing = () => wanted.filter((id) => !watch.seen.has(id));
  await readStream(watch, Date.now() + CATCH_UP_LIMIT_MS, () => missing().length === 0);
  console.log(`  watch, ${watch.name}: ${wanted.length - missing().length} of ${wanted.length} changes received`);
  assert.deepEqual(missing(), [], 'a watch that resumes with its last token misses no change');
}

function readStream(watch, until, isDone = () => false) {
  const begun = Date.now();
  const stream = watch.client.watch({ resume_token: watch.token });
  const timer = setTimeout(() => stream.cancel(), until - begun);
  return new Promise((resolve) => {
    stream.on('data', ({ resume_token: token, change, reset }) => {
      assert.ok(!reset, 'no reset');
      watch.token = token;
      if (change) watch.seen.add(change.task.id);
      if (isDone()) stream.cancel();
    });
    stream.on('error', () => {}); // 'status' reports it too
    stream.on('status', ({ code, details }) => {
      clearTimeout(timer);
      resolve({ code, details, seconds: (Date.now() - begun) / 1000 });
    });
  });
}

function checkEnd(watch, { code, details, seconds }, until) {
  console.log(`  watch, ${watch.name}: lasted ${seconds.toFixed(0)} s, ended with ${grpc.status[code]} "${details}"`);
  const isOk = code === grpc.status.OK && seconds > SHORTEST_WATCH_SECONDS;
  const isCut = watch.mayBeCut && code === grpc.status.UNAVAILABLE && seconds > 9;
  const isOurs = code === grpc.status.CANCELLED && Date.now() > until - 100; // Node timers can fire early
  assert.ok(isOk || isCut || isOurs, 'a watch ends with OK after four to five minutes');
}
