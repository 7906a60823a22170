import { createContext } from 'svelte';
import { SvelteSet } from 'svelte/reactivity';
import { whenUnauthorized } from '#lib/api/send.ts';
import { Drafts } from '#lib/editor/drafts.svelte.ts';
import { Inbox } from '#lib/inbox/inbox.svelte.ts';
import { Live, type LiveStatus } from '#lib/live/live.ts';
import { Session } from '#lib/session/session.svelte.ts';
import { TaskActions } from '#lib/tasks/actions.ts';
import type { TaskList } from '#lib/tasks/list.svelte.ts';
import { Tasks } from '#lib/tasks/tasks.svelte.ts';
import { text } from '#lib/text/index.ts';
import { Toasts } from '#lib/toasts/toasts.svelte.ts';
import { Menu } from '#lib/ui/menu.svelte.ts';
import { Typing } from '#lib/ui/typing.svelte.ts';
import { address } from './address.svelte';
import { Announcer } from './announcer.svelte';
import { Clock } from './clock.svelte';
import { Theme } from './theme.svelte';

const UNDERWAY_MS = 30_000;
const CONNECTING_SHOWN_AFTER_MS = 1_500;

/** The composition root of the page: creates all state and connects it. */
export class App {
  readonly session = new Session();
  readonly tasks = new Tasks();
  readonly inbox = new Inbox();
  readonly toasts = new Toasts();
  readonly menu = new Menu();
  readonly announcer = new Announcer();
  readonly clock = new Clock();
  readonly theme = new Theme();
  readonly live = new Live();
  liveStatus = $state<LiveStatus>('offline');
  readonly actions = new TaskActions(this.tasks, this.toasts, this.announcer);
  readonly drafts = new Drafts();
  readonly typing = new Typing();
  /** The lists on the page. */
  readonly lists = new SvelteSet<TaskList>();
  /** The IDs of tasks that were created here and whose notification has not arrived yet. */
  readonly underway = new SvelteSet<string>();
  #user = '';
  #connecting: ReturnType<typeof setTimeout> | undefined;

  /** Start. Return a function that stops everything. */
  start(): () => void {
    this.session.onbegin = (user) => this.#resetFor(user);
    whenUnauthorized(() => this.#expire());
    this.live.onstatus = (status) => this.#show(status);
    this.live.onunauthorized = () => this.#expire();
    this.live.on('task.created', (task) => this.tasks.receive(task));
    this.live.on('task.updated', (task) => this.tasks.receive(task));
    this.live.on('task.deleted', (task) => this.tasks.receive(task));
    this.live.on('notification', (notification) => {
      this.underway.delete(notification.task_id);
      if (!this.inbox.receive(notification)) return;
      this.toasts.show({
        kind: 'info',
        title: text.inbox.kinds[notification.kind](notification.title),
        detail: text.inbox.delivered,
        action: { label: text.inbox.show, run: () => address.open(notification.task_id) },
      });
    });
    this.live.on('reset', () => void this.inbox.reload());
    this.theme.load();
    void this.open();
    const stop = [this.clock.start(), this.typing.start()];
    document.addEventListener('visibilitychange', this.#returned);
    return () => {
      document.removeEventListener('visibilitychange', this.#returned);
      stop.forEach((each) => each());
      this.live.stop();
    };
  }

  /** Load the session and, if there is one, the user's data. */
  async open(): Promise<void> {
    await this.session.load();
    if (this.session.state === 'present') this.#begin();
  }

  /** Sign in, and discard the data of a previous user. Throws ApiError. */
  async logIn(user: string, password: string): Promise<void> {
    await this.session.logIn(user, password);
    this.#begin();
  }

  /** Sign out, and discard all data. Throws ApiError. */
  async logOut(): Promise<void> {
    await this.session.logOut();
    this.live.logout();
    this.#resetFor('');
  }

  /** Show that a task's notification is pending, until it arrives or for 30 seconds. */
  expectNotification(taskId: string): void {
    if (this.inbox.notifications.some((each) => each.task_id === taskId)) return;
    this.underway.add(taskId);
    setTimeout(() => this.underway.delete(taskId), UNDERWAY_MS);
  }

  // The user may have signed in in another tab in the meantime.
  readonly #returned = () => {
    if (document.visibilityState === 'visible' && ['absent', 'expired'].includes(this.session.state)) void this.open();
  };

  // A short reconnect of a live stream is not shown.
  #show(status: LiveStatus): void {
    clearTimeout(this.#connecting);
    if (status === 'live') this.#retry();
    if (status !== 'connecting' || this.liveStatus !== 'live') this.liveStatus = status;
    else this.#connecting = setTimeout(() => (this.liveStatus = status), CONNECTING_SHOWN_AFTER_MS);
  }

  /** When the server is back, retry the loads that failed. */
  #retry(): void {
    for (const each of [this.inbox, ...this.lists]) void each.retry();
  }

  #begin(): void {
    this.live.start(this.#user);
    void this.inbox.reload();
  }

  #expire(): void {
    this.session.expire();
    this.live.stop();
  }

  /** Discard all data of the previous user. */
  #resetFor(user: string): void {
    if (user === this.#user) return;
    this.#user = user;
    this.tasks.cache.clear(user);
    this.inbox.clear();
    this.toasts.clear();
    this.announcer.say('');
    this.drafts.load(user);
    this.underway.clear();
  }
}

export const [getApp, setApp] = createContext<App>();
