/** A fake of the edge's `/api/v1/events`. It stores sent events, and resumes after the client's Last-Event-ID. */

export class FakeServer {
  readonly requests: { path: string; headers: Headers }[] = [];
  /** The responses to the next requests, instead of a stream. */
  readonly refusals: (() => Response | Promise<Response>)[] = [];
  isReachable = true;
  connections: FakeConnection[] = [];
  readonly #log: { id: string; frame: string }[] = [];

  readonly fetch = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    this.requests.push({ path, headers });
    if (!this.isReachable) throw new TypeError('Failed to fetch');
    const refusal = this.refusals.shift();
    if (refusal) return await unlessAborted(init.signal, refusal());
    const connection = new FakeConnection(init.signal, (gone) => {
      this.connections = this.connections.filter((open) => open !== gone);
    });
    this.connections.push(connection);
    const after = headers.get('Last-Event-ID');
    connection.send('retry: 1000\n\n');
    const missed = after === null ? [] : this.#log.filter(({ id }) => Number(id) > Number(after));
    for (const { frame } of missed) connection.send(frame);
    this.#beat(connection);
    return new Response(connection.body, { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } });
  };

  get onlyConnection(): FakeConnection {
    const [connection, ...others] = this.connections;
    if (!connection || others.length > 0) throw new Error(`${this.connections.length} streams are open`);
    return connection;
  }

  publish(name: string, data: unknown): void {
    const id = String(this.#log.length + 1);
    const frame = `id: ${id}\nevent: ${name}\ndata: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
    this.#log.push({ id, frame });
    for (const connection of this.connections) connection.send(frame);
  }

  heartbeat(): void {
    for (const connection of this.connections) this.#beat(connection);
  }

  #beat(connection: FakeConnection): void {
    connection.send(`: heartbeat\nid: ${this.#log.length}\n\n`);
  }
}

export class FakeConnection {
  readonly body: ReadableStream<Uint8Array>;
  readonly #onclose: (self: FakeConnection) => void;
  #controller!: ReadableStreamDefaultController<Uint8Array>;

  constructor(signal: AbortSignal | null | undefined, onclose: (self: FakeConnection) => void) {
    this.#onclose = onclose;
    this.body = new ReadableStream({ start: (controller) => void (this.#controller = controller) });
    signal?.addEventListener('abort', () => this.break());
  }

  send(frame: string | Uint8Array): void {
    this.#controller.enqueue(typeof frame === 'string' ? new TextEncoder().encode(frame) : frame);
  }

  end(): void {
    this.#onclose(this);
    this.#controller.close();
  }

  break(): void {
    this.#onclose(this);
    this.#controller.error(new TypeError('network error'));
  }
}

/** Return a function that responds with an API error. */
export function refuse(status: number, headers: Record<string, string> = {}): () => Response {
  return () => new Response('{}', { status, headers: { 'Content-Type': 'application/problem+json', ...headers } });
}

/** Never responds. */
export function blackHole(): Promise<Response> {
  return new Promise(() => undefined);
}

function unlessAborted(signal: AbortSignal | null | undefined, response: Response | Promise<Response>) {
  return new Promise<Response>((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
    void Promise.resolve(response).then(resolve, reject);
  });
}
