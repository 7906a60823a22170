import type { Notification, NotificationPage, ReadMarks } from './generated';
import { send } from './send';

export type { Notification, NotificationPage };

const PATH = '/api/v1/notifications';

/** Return a page of the user's notifications, newest first, and the total number of unread ones. */
export function listNotifications(pageToken = ''): Promise<NotificationPage> {
  return send(PATH, { query: { page_token: pageToken } });
}

/** Mark notifications as read; those that already are stay unchanged. */
export function markRead(marks: ReadMarks): Promise<void> {
  return send(`${PATH}:markRead`, { method: 'POST', body: marks, isRepeatable: true });
}
