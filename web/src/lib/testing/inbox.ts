import type { Notification, NotificationPage } from '#lib/api/notifications.ts';
import type { ReadMarks } from '#lib/api/generated/index.ts';
import { aNotification } from './factories';

const PAGE_SIZE = 50;

/** A fake of the notifications of one user, in memory. */
export class FakeInbox {
  /** Newest first. */
  notifications: readonly Notification[] = [];

  /** Store a notification that is newer than all others. */
  add(notification: Partial<Notification> = {}): Notification {
    const number = this.notifications.length + 1;
    const task_id = `01JD${String(number).padStart(22, '0')}`;
    const create_time = new Date(Date.UTC(2026, 0, 1, 12, 0, number)).toISOString();
    const added = aNotification({
      id: `${task_id}:1:created`,
      task_id,
      create_time,
      title: `Task ${number}`,
      ...notification,
    });
    this.notifications = [added, ...this.notifications];
    return added;
  }

  list(pageToken: string): NotificationPage {
    const from = Number(pageToken);
    const rest = this.notifications.length - from - PAGE_SIZE;
    return {
      notifications: this.notifications.slice(from, from + PAGE_SIZE),
      next_page_token: rest > 0 ? String(from + PAGE_SIZE) : '',
      unread_count: this.notifications.filter((each) => each.read_time === null).length,
    };
  }

  markRead({ ids = [], all }: ReadMarks): void {
    const read_time = '2026-01-02T00:00:00Z';
    this.notifications = this.notifications.map((each) =>
      each.read_time === null && (all || ids.includes(each.id)) ? { ...each, read_time } : each,
    );
  }
}
