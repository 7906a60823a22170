/** Fake broadcast channels: ordered like real ones, with optional delays. fakes.test.ts also tests the real ones. */
import type { Channel } from '#lib/live/dependencies.ts';

export class FakeChannels {
  readonly #open = new Set<FakeChannel>();

  open(name: string): FakeChannel {
    const channel = new FakeChannel(name, this.#open);
    this.#open.add(channel);
    return channel;
  }
}

export class FakeChannel implements Channel {
  onmessage: ((event: MessageEvent) => void) | null = null;
  /** Its messages are discarded. */
  isMute = false;
  /** Incoming messages are queued. */
  isBehind = false;
  readonly #name: string;
  readonly #open: Set<FakeChannel>;
  readonly #waiting: unknown[] = [];

  constructor(name: string, open: Set<FakeChannel>) {
    this.#name = name;
    this.#open = open;
  }

  postMessage(message: unknown): void {
    if (!this.#open.has(this)) throw new DOMException('The channel is closed.', 'InvalidStateError');
    if (this.isMute) return;
    for (const other of this.#open) {
      if (other === this || other.#name !== this.#name) continue;
      other.#waiting.push(structuredClone(message));
      queueMicrotask(() => other.deliver());
    }
  }

  close(): void {
    this.#open.delete(this);
  }

  /** Discard the queued messages. */
  lose(): void {
    this.#waiting.length = 0;
  }

  deliver(): void {
    while (!this.isBehind && this.#open.has(this) && this.#waiting.length > 0) {
      this.onmessage?.({ data: this.#waiting.shift() } as MessageEvent);
    }
  }
}
