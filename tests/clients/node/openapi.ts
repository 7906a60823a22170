// Type-checked against the types that openapi-typescript generates: a new task requires only a title.
import createClient from 'openapi-fetch';

import type { paths } from './generated/openapi.js';

const client = createClient<paths>({ baseUrl: 'http://127.0.0.1:8000', headers: { 'x-api-key': 'demo-key' } });

export async function createTask(title: string): Promise<string> {
  const { data, error } = await client.POST('/api/v1/tasks', { body: { title } });
  if (error) throw new Error(error.detail);
  return data.id;
}
