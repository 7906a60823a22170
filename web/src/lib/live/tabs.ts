/**
 * The tabs of one browser: the leader has the stream and sends its events to the other tabs.
 *
 * Chrome does not freeze a page that holds a Web Lock, so a leader also works in the background. Other browsers may
 * freeze it, and a debugger can stop it. A tab that receives nothing asks the leader, and takes over without a reply.
 */
import { Election } from './election';
import type { Block } from './parser';
import type { Channel, Locks } from './dependencies';
import type { LiveStatus } from './stream';

export interface Standing {
  status: LiveStatus;
  /** The ID after which a stream resumes; empty before the first. */
  lastId: string;
}

export interface TabsListener {
  /** This tab becomes the leader, or stops being it. */
  onlead(isLeading: boolean): void;
  /** The leader received this block. */
  onblock(block: Block): void;
  /** The leader's state, after all blocks that it has sent. */
  onstanding(standing: Standing): void;
  /** The user logged out, or another user logged in, in another tab: the session of this tab is over. */
  onsessionover(): void;
  /** The state that this tab sends while it leads. */
  standing(): Standing;
}

type Message =
  | { type: 'login' } // announces the logged-in user, and requests the state like hello
  | { type: 'logout' }
  | { type: 'hello' } // requests the leader's state
  | { type: 'standing'; standing: Standing }
  | { type: 'block'; block: Block };

// The number is the version of the message format: tabs with an older page do not share a channel with newer ones.
const NAME = 'taskmesh-live-1';
const SILENT_MS = 45_000; // an open stream has a heartbeat every 15 seconds
const ANSWER_MS = 5_000;

export class Tabs {
  readonly #user: string;
  readonly #channel: Channel;
  readonly #election: Election;
  readonly #listener: TabsListener;
  readonly #life = new AbortController();
  #isLeading = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(user: string, channel: (name: string) => Channel, locks: Locks, listener: TabsListener) {
    this.#user = user;
    this.#listener = listener;
    this.#channel = channel(NAME);
    this.#channel.onmessage = ({ data }) => this.#hear(data as Message & { user: string });
    // One lock per user: a tab whose user is no longer logged in does not block the others.
    this.#election = new Election(locks, `${NAME}:${user}`, (isElected) => this.#lead(isElected));
  }

  join(): void {
    this.#say({ type: 'login' });
    this.#expectAnswer();
    this.#election.stand();
    // A page that was frozen may have missed messages; the leader's reply shows it.
    const ask = () => document.hidden || this.#isLeading || this.#ask();
    document.addEventListener('visibilitychange', ask, { signal: this.#life.signal });
  }

  leave(): void {
    this.#life.abort();
    clearTimeout(this.#timer);
    this.#election.withdraw();
    this.#channel.close();
  }

  sendBlock(block: Block): void {
    this.#say({ type: 'block', block });
  }

  sendStanding(): void {
    this.#say({ type: 'standing', standing: this.#listener.standing() });
  }

  sendLogout(): void {
    this.#say({ type: 'logout' });
  }

  #say(message: Message): void {
    if (this.#life.signal.aborted) return;
    this.#channel.postMessage({ ...message, user: this.#user });
  }

  #hear(message: Message & { user: string }): void {
    if (this.#life.signal.aborted) return;
    const { type } = message;
    if (message.user !== this.#user) {
      if (type === 'login') this.#listener.onsessionover();
    } else if (type === 'logout') {
      this.#listener.onsessionover();
    } else if (type === 'login' || type === 'hello') {
      if (this.#isLeading) this.sendStanding();
    } else if (!this.#isLeading) {
      // The leader ignores late messages of a former leader: it has the events from its own stream.
      this.#expectMessage();
      if (type === 'block') this.#listener.onblock(message.block);
      else this.#listener.onstanding(message.standing);
    }
  }

  #lead(isElected: boolean): void {
    this.#isLeading = isElected;
    if (isElected) clearTimeout(this.#timer);
    else this.#ask();
    this.#listener.onlead(isElected);
  }

  #ask(): void {
    this.#say({ type: 'hello' });
    this.#expectAnswer();
  }

  #expectMessage(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), SILENT_MS);
  }

  #expectAnswer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#election.seize(), ANSWER_MS);
  }
}
