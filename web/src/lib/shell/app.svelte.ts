import { createContext } from 'svelte';
import { SvelteSet } from 'svelte/reactivity';
import { sendAs, whenUnauthorized } from '#lib/api/send.ts';
import { Drafts } from '#lib/editor/drafts.svelte.ts';
import type { Notification } from '#lib/api/notifications.ts';
import type { Task } from '#lib/api/tasks.ts';
import { Inbox } from '#lib/inbox/inbox.svelte.ts';
import { Live, type LiveStatus } from '#lib/live/live.ts';
import { SelectionActions } from '#lib/selection/actions.svelte.ts';
import { Bulk } from '#lib/selection/bulk.svelte.ts';
import { Selection } from '#lib/selection/selection.svelte.ts';
import { Session } from '#lib/session/session.svelte.ts';
import { signedInUser, storeSignedInUser } from '#lib/session/signed-in-user.ts';
import { TaskActions } from '#lib/tasks/actions.ts';
import type { TaskList } from '#lib/tasks/list.svelte.ts';
import { Tasks } from '#lib/tasks/tasks.svelte.ts';
import { text } from '#lib/text/index.ts';
import { Toasts } from '#lib/toasts/toasts.svelte.ts';
import { Menu } from '#lib/ui/menu.svelte.ts';
import { Typing } from '#lib/ui/typing.svelte.ts';
import { address } from './address.svelte';
import { Announcer } from './announcer.svelte';
import { FrameBatch } from './frame-batch';
import { Clock } from './clock.svelte';
import { Theme } from './theme.svelte';

const UNDERWAY_MS = 30_000;
const CONNECTING_SHOWN_AFTER_MS = 1_500;
const POLLED_AFTER_MS = 5_000;

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
  /** The status of the live updates; `blocked` if only the event stream fails. The page then loads its data on focus. */
  liveStatus = $state<LiveStatus | 'blocked'>('offline');
  readonly actions = new TaskActions(this.tasks, this.toasts, this.announcer);
  readonly drafts = new Drafts();
  readonly typing = new Typing();
  /** The lists on the page. */
  readonly lists = new SvelteSet<TaskList>();
  readonly selection = new Selection(this.lists, this.announcer);
  readonly bulk = new Bulk(this.tasks);
  readonly selectionActions = new SelectionActions(this.selection, this.bulk, this.toasts, this.announcer);
  /** The IDs of tasks that were created here and whose notification has not arrived yet. */
  readonly underway = new SvelteSet<string>();
  #user = '';
  #connecting: ReturnType<typeof setTimeout> | undefined;
  #offline: ReturnType<typeof setTimeout> | undefined;

  /** Start. Return a function that stops everything. */
  start(): () => void {
    this.session.onbegin = (user) => {
      this.#resetFor(user);
      storeSignedInUser(user);
    };
    whenUnauthorized(() => this.#expire());
    this.live.onstatus = (status) => this.#show(status);
    this.live.onunauthorized = () => this.#expire();
    const batch = new FrameBatch<Task>((tasks) => this.tasks.receive(...tasks));
    this.live.on('task.created', (task) => batch.add(task));
    this.live.on('task.updated', (task) => batch.add(task));
    this.live.on('task.deleted', (task) => batch.add(task));
    const news = new FrameBatch<Notification>((notifications) => this.#showToastOf(notifications));
    this.live.on('notification', (notification) => {
      this.underway.delete(notification.task_id);
      if (this.inbox.receive(notification)) news.add(notification);
    });
    this.live.on('reset', () => void this.inbox.reload());
    this.theme.load();
    void this.open();
    const stop = [this.clock.start(), this.typing.start()];
    const life = new AbortController();
    document.addEventListener('visibilitychange', () => this.#returned(), life);
    window.addEventListener('storage', () => this.#leave(), life);
    window.addEventListener('online', () => this.#returned(), life);
    window.addEventListener('focus', () => void this.#poll(), life);
    return () => {
      life.abort();
      clearTimeout(this.#offline);
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
    storeSignedInUser('');
    this.live.logout();
    this.#resetFor('');
  }

  /** Show that a task's notification is pending, until it arrives or for 30 seconds. */
  expectNotification(taskId: string): void {
    if (this.inbox.notifications.some((each) => each.task_id === taskId)) return;
    this.underway.add(taskId);
    setTimeout(() => this.underway.delete(taskId), UNDERWAY_MS);
  }

  #showToastOf(notifications: readonly Notification[]): void {
    const [first, ...others] = notifications.filter(({ id }) => this.inbox.has(id)); // not those of a previous user
    if (!first) return;
    if (others.length) {
      this.toasts.show({ kind: 'info', title: text.inbox.several(others.length + 1) });
    } else {
      this.toasts.show({
        kind: 'info',
        title: text.inbox.kinds[first.kind](first.title),
        detail: text.inbox.delivered,
        action: { label: text.inbox.show, run: () => address.open(first.task_id) },
      });
    }
  }

  // After a sign-out, or another user's sign-in, in another tab. An expired session does not change the user.
  #leave(): void {
    const user = signedInUser();
    if (!this.#user || user === null || user === this.#user) return;
    this.session.end();
    this.live.stop();
    this.#resetFor('');
  }

  // The user may have signed in in another tab in the meantime, or the server may be back.
  #returned(): void {
    this.#leave(); // a frozen page may have missed the event
    const { state, error } = this.session;
    if (document.hidden || (state === 'unknown' && !error)) return;
    void (state === 'present' ? this.#poll() : this.open());
  }

  // Something between the browser and the server may block event streams only.
  async #poll(): Promise<void> {
    if (document.hidden || this.session.state !== 'present' || !['offline', 'blocked'].includes(this.liveStatus))
      return;
    await this.inbox.reload();
    if (this.inbox.error || this.liveStatus === 'live') return;
    this.liveStatus = 'blocked';
    for (const each of this.lists) void each.reload();
  }

  // A short reconnect of a live stream is not shown.
  #show(status: LiveStatus): void {
    clearTimeout(this.#connecting);
    clearTimeout(this.#offline);
    if (status === 'live') this.#retry();
    if (status === 'offline') this.#offline = setTimeout(() => void this.#poll(), POLLED_AFTER_MS);
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
    if (this.#user) address.clear();
    sendAs(user);
    this.#user = user;
    this.bulk.clear();
    this.selectionActions.end();
    this.tasks.clear(user);
    this.inbox.clear();
    this.toasts.clear();
    this.announcer.say('');
    this.drafts.load(user);
    this.underway.clear();
  }
}

export const [getApp, setApp] = createContext<App>();
