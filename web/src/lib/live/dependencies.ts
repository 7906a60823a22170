/** The browser APIs that this folder uses, so that tests can replace them. */
import { sessionFetch } from '#lib/api/session-fetch.ts';

export interface Locks {
  request(name: string, options: LockOptions, granted: () => Promise<void>): Promise<unknown>;
}

export interface Channel {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

export interface Dependencies {
  fetch: (path: string, init: RequestInit) => Promise<Response>;
  /** Absent in old browsers, and over plain HTTP except on localhost. */
  locks: Locks | undefined;
  openChannel: ((name: string) => Channel) | undefined;
  random: () => number;
}

export function browserDependencies(): Dependencies {
  return {
    fetch: sessionFetch,
    locks: globalThis.navigator?.locks,
    openChannel: typeof BroadcastChannel === 'undefined' ? undefined : (name) => new BroadcastChannel(name),
    random: Math.random,
  };
}
