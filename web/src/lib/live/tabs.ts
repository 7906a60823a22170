/**
 * The tabs of one browser: one of them leads, which means that it has the stream, and tells the others what comes.
 *
 * Chrome does not freeze a page that holds a Web Lock, so a leader works on in the background. Other browsers may, and a
 * debugger halts any: who hears nothing asks, and takes over where nobody answers.
 */
import { Election } from './election';
import type { Block } from './parser';
import type { Channel, Locks } from './dependencies';
import type { LiveStatus } from './stream';

export interface Standing {
  status: LiveStatus;
  /** The id behind which a stream goes on; empty before the first. */
  lastId: string;
}

export interface TabsListener {
  /** This tab leads from now on, or has to stop doing so. */
  onlead(isLeading: boolean): void;
  /** The leader had this block. */
  onblock(block: Block): void;
  /** The leader says how it stands, after all the blocks that it has told of. */
  onstanding(standing: Standing): void;
  /** In another tab somebody logged out, or another user logged in: the session of this tab is over. */
  onsessionover(): void;
  /** What this tab is to say when it leads and is asked. */
  standing(): Standing;
}

type Message =
  | { type: 'login' } // says who is logged in now, and asks like a hello
  | { type: 'logout' }
  | { type: 'hello' } // asks how the leader stands
  | { type: 'standing'; standing: Standing }
  | { type: 'block'; block: Block };

// The number is that of the messages' form: tabs that still run an older page keep to themselves.
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
    // A lock for each user: a tab whose user is not logged in any more keeps nobody waiting.
    this.#election = new Election(locks, `${NAME}:${user}`, (isElected) => this.#lead(isElected));
  }

  join(): void {
    this.#say({ type: 'login' });
    this.#expectAnswer();
    this.#election.stand();
    // Where this page was frozen it may have missed messages; the answer shows it.
    const ask = () => document.hidden || this.#isLeading || this.#ask();
    document.addEventListener('visibilitychange', ask, { signal: this.#life.signal });
  }

  leave(): void {
    this.#life.abort();
    clearTimeout(this.#timer);
    this.#election.withdraw();
    this.#channel.close();
  }

  tellBlock(block: Block): void {
    this.#say({ type: 'block', block });
  }

  tellStanding(): void {
    this.#say({ type: 'standing', standing: this.#listener.standing() });
  }

  tellLogout(): void {
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
      if (this.#isLeading) this.tellStanding();
    } else if (!this.#isLeading) {
      // What a former leader said last may come late; this tab, leading now, has it from its own stream.
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
