/** One request for the event stream. It ends when the server ends it, on `cut`, on an error, or on a timeout. */
import { retryAfter } from './backoff';
import { type Block, EventStreamParser } from './parser';
import type { Dependencies } from './dependencies';

export type Outcome =
  | { kind: 'ended' } // the server ended the stream
  | { kind: 'refused'; status: number; retryAfter: number }
  | { kind: 'broken'; openMs: number };

export interface ConnectionListener {
  onopen(): void;
  onblock(block: Block): void;
  /** The server sent a reconnection time, in milliseconds. */
  onretry(ms: number): void;
}

const PATH = '/api/v1/events';
const ANSWER_MS = 15_000; // until the response headers
const QUIET_MS = 45_000; // the edge sends something every 15 seconds
const BLOCK_LIMIT = 1024 * 1024;

export class Connection {
  readonly #fetch: Dependencies['fetch'];
  readonly #listener: ConnectionListener;
  readonly #abort = new AbortController();
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #openedAt: number | undefined;
  #lastByteAt = Date.now();

  constructor(fetch: Dependencies['fetch'], listener: ConnectionListener) {
    this.#fetch = fetch;
    this.#listener = listener;
  }

  /** Milliseconds since the last byte. */
  get quietMs(): number {
    return Date.now() - this.#lastByteAt;
  }

  /** Request the events after `lastId`; if it is empty, events from now on. */
  async run(lastId: string): Promise<Outcome> {
    const headers = { Accept: 'text/event-stream', ...(lastId !== '' && { 'Last-Event-ID': lastId }) };
    try {
      this.#expectBytes(ANSWER_MS);
      const response = await this.#fetch(PATH, { headers, cache: 'no-store', signal: this.#abort.signal });
      if (!isEventStream(response)) {
        const { status } = response;
        return { kind: 'refused', status, retryAfter: retryAfter(response.headers.get('Retry-After')) };
      }
      this.#openedAt = Date.now();
      this.#listener.onopen();
      await this.#read(response.body.getReader());
      return { kind: 'ended' };
    } catch {
      // A network error, a timeout or an oversized block: all are handled by reconnecting.
      return { kind: 'broken', openMs: this.#openedAt === undefined ? 0 : Date.now() - this.#openedAt };
    } finally {
      clearTimeout(this.#watchdog);
      this.cut(); // an unread response would keep its connection open
    }
  }

  cut(): void {
    this.#abort.abort();
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const parser = new EventStreamParser(BLOCK_LIMIT);
    for (;;) {
      this.#expectBytes(QUIET_MS);
      const { done, value } = await reader.read();
      if (done) return;
      for (const block of parser.read(value)) {
        if (this.#abort.signal.aborted) return; // by the handler of the previous block
        this.#listener.onblock(block);
      }
      if (parser.retry !== undefined) this.#listener.onretry(parser.retry);
    }
  }

  #expectBytes(withinMs: number): void {
    this.#lastByteAt = Date.now();
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.cut(), withinMs);
  }
}

function isEventStream(response: Response): response is Response & { body: ReadableStream<Uint8Array> } {
  const type = response.headers.get('Content-Type') ?? '';
  return response.status === 200 && /^text\/event-stream\b/i.test(type) && response.body !== null;
}
