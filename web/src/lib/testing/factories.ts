import type { Notification } from '#lib/api/notifications.ts';
import type { Task } from '#lib/api/tasks.ts';
import { BLANK } from '#lib/tasks/changes.ts';

/** Return a task of user ann; pass the fields that matter to the test. */
export function aTask(task: Partial<Task> = {}): Task {
  return {
    id: '01JD0000000000000000000001',
    ...BLANK,
    title: 'Buy milk',
    owner: 'ann',
    create_time: '2026-01-01T12:00:00Z',
    update_time: '2026-01-01T12:00:00Z',
    complete_time: null,
    delete_time: null,
    revision: 1,
    etag: `r${task.revision ?? 1}`,
    ...task,
  };
}

/** Return a notification of a created task; pass the fields that matter to the test. */
export function aNotification(notification: Partial<Notification> = {}): Notification {
  return {
    id: '01JD0000000000000000000001:1:created',
    kind: 'TASK_CREATED',
    task_id: '01JD0000000000000000000001',
    title: 'Buy milk',
    create_time: '2026-01-01T12:00:00Z',
    read_time: null,
    deliveries: [],
    ...notification,
  };
}
