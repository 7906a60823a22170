import type { Notification, NotificationPage, ReadMarks } from './generated';
import { send } from './send';

export type { Notification, NotificationPage };

const PATH = '/api/v1/notifications';

/** A page of the caller's notifications, newest first, and how many are unread in all. */
export function listNotifications(pageToken = ''): Promise<NotificationPage> {
  return send(PATH, { query: { page_token: pageToken } });
}

/** Marks notifications as read; those that are already stay as they are. */
export function markRead(marks: ReadMarks): Promise<void> {
  return send(`${PATH}:markRead`, { method: 'POST', body: marks, isRepeatable: true });
}
