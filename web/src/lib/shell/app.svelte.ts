import { createContext } from 'svelte';
import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { whenUnauthorized } from '#lib/api/send.ts';
import type { Task } from '#lib/api/tasks.ts';
import { Inbox } from '#lib/inbox/inbox.svelte.ts';
import { Live, type LiveStatus } from '#lib/live/live.ts';
import { Session } from '#lib/session/session.svelte.ts';
import { TaskActions } from '#lib/tasks/actions.ts';
import type { Content } from '#lib/tasks/changes.ts';
import type { TaskList } from '#lib/tasks/list.svelte.ts';
import { Tasks } from '#lib/tasks/tasks.svelte.ts';
import { text } from '#lib/text/index.ts';
import { Toasts } from '#lib/toasts/toasts.svelte.ts';
import { Menu } from '#lib/ui/menu.svelte.ts';
import { address } from './address.svelte';
import { Announcer } from './announcer.svelte';
import { Clock } from './clock.svelte';
import { Theme } from './theme.svelte';

const UNDERWAY_MS = 30_000;
const CONNECTING_SHOWN_AFTER_MS = 1_500;

/** Everything that the page knows and can do, put together in this one place. */
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
  /** What was typed into an editor and not yet saved, with the task that it was typed over, by the task's id. */
  readonly drafts = new SvelteMap<string, { seen: Task; content: Content }>();
  /** The lists that are on the page. */
  readonly lists = new SvelteSet<TaskList>();
  /** Tasks that were created here and of which the notifier has not told yet. */
  readonly underway = new SvelteSet<string>();
  #user = '';
  #connecting: ReturnType<typeof setTimeout> | undefined;

  /** Begins to work, until the returned function is called. */
  start(): () => void {
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
    const stopClock = this.clock.start();
    document.addEventListener('visibilitychange', this.#returned);
    return () => {
      document.removeEventListener('visibilitychange', this.#returned);
      stopClock();
      this.live.stop();
    };
  }

  /** Asks who is signed in, and shows what is theirs. */
  async open(): Promise<void> {
    await this.session.load();
    if (this.session.state === 'present') this.#begin();
  }

  /** Signs in. What another user left behind is forgotten. Throws ApiError. */
  async logIn(user: string, password: string): Promise<void> {
    await this.session.logIn(user, password);
    this.#begin();
  }

  /** Signs out, and forgets everything. Throws ApiError. */
  async logOut(): Promise<void> {
    await this.session.logOut();
    this.live.logout();
    this.#belongTo('');
  }

  /** Shows that the notification of a task is on its way, until it comes or nobody waits for it any more. */
  expectNotification(taskId: string): void {
    if (this.inbox.notifications.some((each) => each.task_id === taskId)) return;
    this.underway.add(taskId);
    setTimeout(() => this.underway.delete(taskId), UNDERWAY_MS);
  }

  // Somebody may have signed in meanwhile, in another tab.
  readonly #returned = () => {
    if (document.visibilityState === 'visible' && ['absent', 'expired'].includes(this.session.state)) void this.open();
  };

  // A connection that is renewed in good order is none that anybody need know of.
  #show(status: LiveStatus): void {
    clearTimeout(this.#connecting);
    if (status === 'live') this.#retry();
    if (status !== 'connecting' || this.liveStatus !== 'live') this.liveStatus = status;
    else this.#connecting = setTimeout(() => (this.liveStatus = status), CONNECTING_SHOWN_AFTER_MS);
  }

  /** What could not be loaded while the server was away is there without being asked for once it is back. */
  #retry(): void {
    for (const each of [this.inbox, ...this.lists]) void each.retry();
  }

  #begin(): void {
    if (this.#user !== this.session.user) this.#belongTo(this.session.user);
    this.live.start(this.#user);
    void this.inbox.reload();
  }

  #expire(): void {
    this.session.expire();
    this.live.stop();
  }

  /** Forgets what was somebody else's. */
  #belongTo(user: string): void {
    this.#user = user;
    this.tasks.cache.clear(user);
    this.inbox.clear();
    this.toasts.clear();
    this.announcer.say('');
    this.drafts.clear();
    this.underway.clear();
  }
}

export const [getApp, setApp] = createContext<App>();
