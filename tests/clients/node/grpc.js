// Calls the task service, checks the health of the task and notification services, and watches tasks. Exits with
// status 1 at the first response that violates the protos.
import assert from 'node:assert/strict';
import { parseArgs, promisify } from 'node:util';

import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';

import { checkWatches } from './watch.js';

const { values: options } = parseArgs({
  options: {
    task: { type: 'string' }, // HOST:PORT of the task service, or of the gateway
    notify: { type: 'string' }, // HOST:PORT of the notification service, or of the gateway
    caller: { type: 'string' }, // NAME=VALUE: the metadata that identifies the caller
    protos: { type: 'string', multiple: true }, // the folders with the protos
    'watch-seconds': { type: 'string', default: '60' },
  },
});
const types = loadSync(
  ['task/v1/task.proto', 'google/rpc/status.proto', 'google/rpc/error_details.proto', healthProto],
  {
    includeDirs: options.protos,
    keepCase: true,
    defaults: true,
    enums: String,
  },
);
const packages = grpc.loadPackageDefinition(types);
const caller = new grpc.Metadata();
caller.set(...options.caller.split('='));

function connect(Service, target, host, settings = {}) {
  const credentials = grpc.credentials.createInsecure();
  return new Service(target, credentials, { 'grpc.default_authority': host, ...settings });
}

function taskClient(settings) {
  const client = connect(packages.task.v1.TaskService, options.task, 'task.mesh.localhost', settings);
  const call = (method, request) => promisify(client[method].bind(client))(request, caller);
  return { call, watch: (request, settings) => client.WatchTasks(request, caller, settings) };
}

async function checkCalls({ call }) {
  const label = `node-${process.pid}-${Date.now()}`;
  const task = { title: 'Call', description: 'long '.repeat(1000), labels: [label] };
  const { task: created } = await call('CreateTask', { task, request_id: label });
  const compressing = taskClient({ 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip });
  const { task: again } = await compressing.call('CreateTask', { task, request_id: label });
  assert.deepEqual(again, created, 'one request_id creates one task, also with gzip');

  const change = { id: created.id, title: 'Answer', description: 'not in the mask', etag: created.etag };
  const update = { task: change, update_mask: { paths: ['title'] } };
  const { task: updated } = await call('UpdateTask', update);
  assert.deepEqual([updated.title, updated.description], ['Answer', task.description]);
  await checkError(call('UpdateTask', update), 'ABORTED', 'ETAG_MISMATCH');

  await call('CreateTask', { task: { title: 'Second', labels: [label] } });
  await call('CreateTask', { task: { title: 'Third', labels: [label] } });
  const list = { page_size: 2, labels: [label] };
  const first = await call('ListTasks', list);
  const second = await call('ListTasks', { ...list, page_token: first.next_page_token });
  assert.deepEqual([first.tasks.length, second.tasks.length, second.next_page_token], [2, 1, '']);

  const { id } = created;
  await call('DeleteTask', { id });
  await checkError(call('GetTask', { id }), 'NOT_FOUND', 'TASK_NOT_FOUND');
  await call('UndeleteTask', { id });
  assert.equal((await call('GetTask', { id })).task.delete_time, null);
}

async function checkErrors({ call, watch }) {
  const bad = { description: '\0', labels: ['twice', 'twice'] };
  const fields = ['task.description', 'task.labels[1]', 'task.title'];
  await checkError(call('CreateTask', { task: bad }), 'INVALID_ARGUMENT', 'INVALID_FIELD', fields);
  const badList = call('ListTasks', { page_size: -1, order_by: 'size' });
  await checkError(badList, 'INVALID_ARGUMENT', 'INVALID_FIELD', ['order_by', 'page_size']);

  const begun = Date.now();
  const stream = watch({}, { deadline: begun + 50 });
  const error = await new Promise((resolve) => stream.on('data', () => {}).on('error', resolve));
  assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED);
  assert.ok(Date.now() - begun < 1000, 'a deadline of 50 ms ends a watch within a second');
}

async function checkError(call, code, reason, fields = []) {
  const error = await call.then(
    () => assert.fail(`expected ${code}, got no error`),
    (error) => error,
  );
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const details = {};
  for (const { type_url, value } of types['google.rpc.Status'].deserialize(bytes).details) {
    const name = type_url.split('/')[1];
    details[name] = types[name].deserialize(value);
  }
  const found = details['google.rpc.BadRequest']?.field_violations.map(({ field }) => field).sort() ?? [];
  assert.deepEqual([grpc.status[error.code], details['google.rpc.ErrorInfo'].reason, found], [code, reason, fields]);
}

async function checkHealth(target, host, service) {
  const client = connect(packages.grpc.health.v1.Health, target, host);
  const { status } = await promisify(client.Check.bind(client))({ service });
  const stream = client.Watch({ service });
  const watched = await new Promise((resolve, reject) => stream.once('data', resolve).on('error', reject));
  stream
    .removeAllListeners('error')
    .on('error', () => {})
    .cancel();
  assert.deepEqual([status, watched.status], ['SERVING', 'SERVING']);
}

const tasks = taskClient();
await checkCalls(tasks);
await checkErrors(tasks);
await checkHealth(options.task, 'task.mesh.localhost', 'task.v1.TaskService');
await checkHealth(options.notify, 'notify.mesh.localhost', 'notify.v1.NotificationService');
console.log('  calls, errors and health: ok');

const pinging = taskClient({ 'grpc.keepalive_time_ms': 10_000, 'grpc.keepalive_permit_without_calls': 1 });
await checkWatches(tasks, Number(options['watch-seconds']), [
  { name: 'default settings', client: tasks },
  // With keepalive, grpc-js closes a connection and its calls in flight at the first ping after the server's GOAWAY.
  { name: 'keepalive of 10 s', client: pinging, mayBeCut: true },
]);
process.exit(); // otherwise the keepalive timer keeps the process running
