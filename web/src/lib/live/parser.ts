/** Reads server-sent events as WHATWG HTML 9.2.6 says; also the ids of blocks without data, with which heartbeats come. */

export interface RawEvent {
  name: string;
  data: string;
}

/** The lines up to an empty one, where they say anything. */
export interface Block {
  /** Behind which a next stream goes on; undefined where the block leaves it as it was. */
  id: string | undefined;
  event: RawEvent | undefined;
}

export class EventStreamParser {
  /** How long the stream asked to wait before the next connection, in milliseconds. */
  retry: number | undefined;

  readonly #limit: number;
  readonly #decoder = new TextDecoder(); // also drops a BOM, and keeps half a character until the rest comes
  #isAfterCr = false;
  #line = '';
  #id: string | undefined;
  #name = '';
  #data = '';

  /** Keeps no more than `limit` characters of what is not complete. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The blocks that these bytes complete. Throws RangeError where a block gets longer than the limit. */
  read(bytes: Uint8Array): Block[] {
    const lines = this.#lines(this.#decoder.decode(bytes, { stream: true }));
    const blocks = lines.map((line) => this.#take(line)).filter((block) => block !== undefined);
    if (this.#line.length + this.#data.length > this.#limit) {
      throw new RangeError(`A block of events is longer than ${this.#limit} characters.`);
    }
    return blocks;
  }

  #lines(text: string): string[] {
    if (text === '') return [];
    // A CR has ended its line already; the LF of a CRLF that was cut in two ends no other.
    const fresh = this.#isAfterCr && text.startsWith('\n') ? text.slice(1) : text;
    this.#isAfterCr = text.endsWith('\r');
    const lines = fresh.split(/\r\n|\r|\n/);
    lines[0] = this.#line + lines[0];
    this.#line = lines.pop() ?? '';
    return lines;
  }

  #take(line: string): Block | undefined {
    if (line === '') return this.#end();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data += value + '\n';
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
    return undefined;
  }

  #end(): Block | undefined {
    const event = this.#data === '' ? undefined : { name: this.#name || 'message', data: this.#data.slice(0, -1) };
    const block = { id: this.#id, event };
    this.#id = undefined;
    this.#name = this.#data = '';
    return block.id === undefined && event === undefined ? undefined : block;
  }
}
