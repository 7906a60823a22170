// Creates a task and lists tasks: `node example.ts http://127.0.0.1:8000`.
import { client } from './api/client.gen.ts';
import { createTask, listTasks } from './api/index.ts';

client.setConfig({ baseUrl: process.argv[2], auth: 'demo-key' });
const { data: created } = await createTask({ body: { title: 'Buy milk' }, throwOnError: true });
console.log(created.id);
const { data: page } = await listTasks({ throwOnError: true });
for (const task of page.tasks) {
  console.log(task.title);
}
