import { SvelteMap } from 'svelte/reactivity';
import * as api from '#lib/api/notifications.ts';
import type { Notification } from '#lib/api/notifications.ts';

/** The user's notifications, newest first, and how many are unread. */
export class Inbox {
  /** All notifications received so far, loaded or live, newest first. */
  readonly notifications = $derived.by(() => this.#sorted());
  unread = $state(0);
  isLoading = $state(false);
  error = $state<unknown>();

  readonly #known = new SvelteMap<string, Notification>();
  #next = $state<string>();
  #load = 0; // the number of the latest load; the result of an older one is discarded
  readonly #meanwhile = new Set<string>(); // unread ones received live since the load began: its count may miss them

  constructor(private readonly calls: typeof api = api) {}

  /** Whether there are more pages. */
  get hasMore(): boolean {
    return this.#next !== '';
  }

  /** Whether this notification was received. */
  has(id: string): boolean {
    return this.#known.has(id);
  }

  /** Reload from the newest page. */
  async reload(): Promise<void> {
    this.#restart();
    await this.loadMore();
  }

  /** Load the next page. A failure is stored in `error`; the next call retries. */
  async loadMore(): Promise<void> {
    if (this.isLoading || !this.hasMore) return;
    const load = ++this.#load;
    const isNewest = this.#next === undefined;
    this.isLoading = true;
    this.error = undefined;
    this.#meanwhile.clear();
    try {
      const page = await this.calls.listNotifications(this.#next);
      if (load !== this.#load) return;
      for (const each of page.notifications) {
        this.#known.set(each.id, each);
        this.#meanwhile.delete(each.id);
      }
      if (isNewest) this.unread = page.unread_count + this.#meanwhile.size;
      this.#next = page.next_page_token;
    } catch (error) {
      if (load === this.#load) this.error = error;
    } finally {
      if (load === this.#load) this.isLoading = false;
    }
  }

  /** Retry the last load if it failed. */
  async retry(): Promise<void> {
    if (this.error) await this.loadMore();
  }

  /** Add a live notification. Return whether it is new. */
  receive(notification: Notification): boolean {
    if (this.#known.has(notification.id)) return false;
    this.#known.set(notification.id, notification);
    if (notification.read_time === null) {
      this.unread += 1;
      this.#meanwhile.add(notification.id);
    }
    return true;
  }

  /** Mark one notification as read: on the page immediately, then at the service. Throws ApiError. */
  async markRead(id: string): Promise<void> {
    const notification = this.#known.get(id);
    if (notification?.read_time !== null) return;
    await this.#mark([notification], { ids: [id] });
  }

  /** Mark all notifications as read. Throws ApiError. */
  async markAllRead(): Promise<void> {
    const unread = this.notifications.filter((each) => each.read_time === null);
    await this.#mark(unread, { all: true });
  }

  /** Remove all notifications. */
  clear(): void {
    this.#restart();
    this.#known.clear();
    this.unread = 0;
  }

  #restart(): void {
    this.#load++;
    this.#next = undefined;
    this.isLoading = false;
  }

  async #mark(marked: readonly Notification[], marks: { ids: string[] } | { all: true }): Promise<void> {
    const unread = 'all' in marks ? 0 : Math.max(0, this.unread - marked.length);
    const taken = this.unread - unread;
    const [load, isLoading] = [this.#load, this.isLoading];
    const read_time = new Date().toISOString();
    marked.forEach((each) => this.#known.set(each.id, { ...each, read_time }));
    this.unread = unread;
    try {
      await this.calls.markRead(marks);
    } catch (error) {
      marked.forEach((each) => this.#known.set(each.id, each));
      this.unread += taken;
      throw error;
    } finally {
      // A concurrent load may have returned the state before the marks. After `clear` there is nothing to reload.
      if (this.#known.size && (isLoading || load !== this.#load)) await this.reload();
    }
  }

  #sorted(): readonly Notification[] {
    return [...this.#known.values()].sort(
      (a, b) => Date.parse(b.create_time) - Date.parse(a.create_time) || (a.id < b.id ? 1 : -1),
    );
  }
}
