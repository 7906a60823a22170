/** A fake browser for tests. Each tab has a `Live` and records its events. */
import { Live, type LiveStatus } from '../live';
import { type FakeChannel, FakeChannels } from './channels';
import { FakeLocks } from './locks';
import type { FakeServer } from './server';

export class FakeBrowser {
  readonly #server: FakeServer;
  readonly #locks = new FakeLocks();
  readonly #channels = new FakeChannels();
  readonly tabs: FakeTab[] = [];

  constructor(server: FakeServer) {
    this.#server = server;
  }

  openTab(user: string): FakeTab {
    const tab = new FakeTab(this.#server, this.#locks, this.#channels);
    this.tabs.push(tab);
    tab.live.start(user);
    return tab;
  }

  close(): void {
    for (const tab of this.tabs) tab.live.stop();
  }
}

export class FakeTab {
  readonly live: Live;
  /** Each event as `name` or `name id`. */
  readonly heard: string[] = [];
  readonly statuses: LiveStatus[] = [];
  isUnauthorized = false;
  readonly #locks: FakeLocks;
  #channel: FakeChannel | undefined;
  #isGone = false;

  constructor(server: FakeServer, locks: FakeLocks, channels: FakeChannels) {
    this.#locks = locks;
    const ownLocks = locks.of(this);
    this.live = new Live({
      fetch: (path, init) => (this.#isGone ? new Promise(() => undefined) : server.fetch(path, init)),
      locks: { request: (...claim) => (this.#isGone ? new Promise(() => undefined) : ownLocks.request(...claim)) },
      openChannel: (name) => (this.#channel = channels.open(name)),
      random: () => 0.5,
    });
    this.live.onstatus = (status) => this.statuses.push(status);
    this.live.onunauthorized = () => (this.isUnauthorized = true);
    for (const name of ['task.created', 'task.updated', 'task.deleted', 'notification'] as const) {
      this.live.on(name, ({ id }) => this.heard.push(`${name} ${id}`));
    }
    this.live.on('reset', () => this.heard.push('reset'));
  }

  /** Return the events since the last call. */
  take(): string[] {
    return this.heard.splice(0);
  }

  get channel(): FakeChannel {
    if (!this.#channel) throw new Error('The tab was not started.');
    return this.#channel;
  }

  /** Delay messages from the other tabs. */
  fallBehind(): void {
    this.channel.isBehind = true;
  }

  /** Stop running its code, as browsers do in the background. */
  freeze(): void {
    this.channel.isBehind = this.channel.isMute = true;
  }

  goOn(): void {
    this.channel.isBehind = this.channel.isMute = false;
    this.channel.deliver();
  }

  /** End the tab's process: its code never runs again. */
  crash(server: FakeServer): void {
    this.#isGone = true;
    this.freeze();
    server.onlyConnection.break();
    this.#locks.crash(this);
  }
}
