// @vitest-environment node
/**
 * The page and the service list the same tasks: both are tested with the same tasks, queries and expected lists.
 * The service's test is tests/unit/task_svc/test_listing_cases.py.
 */
import { describe, expect, test } from 'vitest';
import type { Task, TaskQuery } from '#lib/api/tasks.ts';
import { pageOf } from '#lib/testing/listing.ts';
import { aTask } from '#lib/testing/factories.ts';
import { matcher } from './filters';
import cases from './listing.cases.json';
import { compare, placeOf } from './order';

const tasks = cases.tasks.map((each) => aTask(each as Partial<Task>));

describe.each(cases.listings)('for $query', ({ query: asked, ids }) => {
  const query = asked as TaskQuery;
  const order = query.order_by ?? 'create_time desc';

  test('the page lists the same tasks as the service', () => {
    const listed = tasks
      .filter(matcher(query))
      .map((task) => placeOf(task, order))
      .sort((a, b) => compare(a, b, order));
    expect(listed.map(({ id }) => id)).toEqual(ids);
  });

  test('the fake service lists the same tasks as the service, page by page', () => {
    const listed: string[] = [];
    let page_token = '';
    do {
      const page = pageOf(tasks, { ...query, page_size: 3, page_token }, 4);
      listed.push(...page.tasks.map(({ id }) => id));
      page_token = page.next_page_token;
    } while (page_token);
    expect(listed).toEqual(ids);
  });
});
