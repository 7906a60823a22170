/** Parses server-sent events (WHATWG HTML, 9.2.6). Also reports the IDs of blocks without data, such as heartbeats. */

export interface RawEvent {
  name: string;
  data: string;
}

/** The lines up to an empty line, if they have an ID or data. */
export interface Block {
  /** The ID after which the next stream resumes; undefined if the block has none. */
  id: string | undefined;
  event: RawEvent | undefined;
}

export class EventStreamParser {
  /** The reconnection time that the stream asked for, in milliseconds. */
  retry: number | undefined;

  readonly #limit: number;
  readonly #decoder = new TextDecoder(); // also drops a BOM, and buffers incomplete characters
  #isAfterCr = false;
  #line = '';
  #id: string | undefined;
  #name = '';
  #data = '';

  /** Buffer at most `limit` characters of an incomplete block. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Return the blocks that these bytes complete. Throws RangeError if a block exceeds the limit. */
  read(bytes: Uint8Array): Block[] {
    const lines = this.#lines(this.#decoder.decode(bytes, { stream: true }));
    const blocks = lines.map((line) => this.#take(line)).filter((block) => block !== undefined);
    if (this.#line.length + this.#data.length > this.#limit) {
      throw new RangeError(`A block of the event stream exceeds ${this.#limit} characters.`);
    }
    return blocks;
  }

  #lines(text: string): string[] {
    if (text === '') return [];
    // A CR already ended its line. If a CRLF is split between chunks, its LF does not end another one.
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
