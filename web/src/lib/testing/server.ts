import { vi } from 'vitest';
import type { ReadMarks } from '#lib/api/generated/index.ts';
import type { NewTask, TaskPatch, TaskQuery } from '#lib/api/tasks.ts';
import { FakeInbox } from './inbox';
import { Refusal } from './refusal';
import { FakeTasks } from './tasks';

/** A request as received by the server. */
export interface Received {
  method: string;
  url: URL;
  headers: Headers;
  body: unknown;
}

/** A request or response that is held back. */
interface Held {
  /** Resolves when the server has received the request. */
  arrived: Promise<unknown>;
  release: () => void;
}

/** Handles one request; `respond` processes it and returns the normal response. */
type Handler = (respond: () => Response, request: Received) => Response | Promise<Response>;

/** A fake of the gateway and the services behind it, in memory, with network failures. It replaces `fetch`. */
export class FakeServer {
  readonly tasks = new FakeTasks();
  readonly inbox = new FakeInbox();
  /** All received requests, in order. */
  readonly received: Received[] = [];
  user = 'ann';
  password = 'secret';
  isSignedIn = true;
  /** The delay after a login until the session cookie is accepted. */
  storesSessionAfterMs = 0;
  #sessionStoredAt = -Infinity;
  readonly #handlers: { method: string; handler: Handler }[] = [];

  /** Replace `fetch` until the test ends. */
  static start(): FakeServer {
    const server = new FakeServer();
    vi.stubGlobal('fetch', (path: string, init: RequestInit) => server.#fetch(path, init));
    return server;
  }

  /** Return the received requests with this method. */
  asked(method: string): Received[] {
    return this.received.filter((each) => each.method === method);
  }

  /** Set a handler for the next request with this method. Several handlers are used in the order of the calls. */
  next(method: string, handler: Handler): void {
    this.#handlers.push({ method, handler });
  }

  /** Reject the next request with this method, without processing it. */
  refuse(method: string, refusal: Refusal): void {
    this.next(method, () => refusal.response);
  }

  /** Drop the next request with this method. */
  cutOff(method: string): void {
    this.next(method, () => Promise.reject(new TypeError('Failed to fetch')));
  }

  /** Process the next request with this method, but drop the response. */
  loseResponse(method: string): void {
    this.next(method, (respond) => {
      respond();
      throw new TypeError('Failed to fetch');
    });
  }

  /** Process the next request with this method, and hold back the response. */
  holdResponse(method: string): Held {
    return this.#hold(method, (respond, until) => {
      const response = respond();
      return until.then(() => response);
    });
  }

  /** Hold back the next request with this method. */
  holdRequest(method: string): Held {
    return this.#hold(method, (respond, until) => until.then(respond));
  }

  #hold(method: string, handler: (respond: () => Response, until: Promise<unknown>) => Promise<Response>): Held {
    const [arrival, until] = [Promise.withResolvers<unknown>(), Promise.withResolvers<unknown>()];
    this.next(method, (respond) => {
      const response = handler(respond, until.promise);
      arrival.resolve(undefined);
      return response;
    });
    return { arrived: arrival.promise, release: () => until.resolve(undefined) };
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const request: Received = {
      method: init.method ?? 'GET',
      url: new URL(path, 'http://taskmesh.test'),
      headers: new Headers(init.headers),
      body: init.body ? JSON.parse(String(init.body)) : undefined,
    };
    await Promise.resolve(); // a real response never arrives before fetch returns
    this.received.push(request);
    const index = this.#handlers.findIndex(({ method }) => method === request.method);
    const handler = index < 0 ? undefined : this.#handlers.splice(index, 1)[0]?.handler;
    const respond = () => this.#respond(request);
    const response = handler ? handler(respond, request) : respond();
    return Promise.race([response, abortOf(init.signal)]);
  }

  #respond(request: Received): Response {
    try {
      this.#rejectUnknownCookie(request);
      if (request.url.pathname === '/api/v1/events') return quietStream();
      const [status, body] = this.#route(request);
      return new Response(body === undefined ? null : JSON.stringify(body), { status });
    } catch (error) {
      if (error instanceof Refusal) return error.response;
      throw error;
    }
  }

  #route(request: Received): [status: number, body?: unknown] {
    const { method, url, headers, body } = request;
    const [, collection, id = '', custom = ''] = /^\/api\/v1\/(\w+)\/?([^:]*)(:\w+)?$/.exec(url.pathname) ?? [];
    const etag = headers.get('If-Match') ?? undefined;
    switch (`${method} ${collection}${id && '/'}${custom}`) {
      case 'GET session':
        return this.#session(headers.get('Authorization'));
      case 'POST session':
        this.isSignedIn = false;
        return [204];
      case 'GET tasks':
        return [200, this.tasks.list(queryOf(url))];
      case 'POST tasks':
        return [201, this.tasks.create(body as NewTask, headers.get('Idempotency-Key') ?? crypto.randomUUID())];
      case 'GET tasks/':
        return [200, this.tasks.get(id, url.searchParams.get('show_deleted') === 'true')];
      case 'PATCH tasks/':
        return [200, this.tasks.update(id, body as TaskPatch, etag)];
      case 'DELETE tasks/':
        this.tasks.delete(id, etag);
        return [204];
      case 'POST tasks/:undelete':
        return [200, this.tasks.undelete(id)];
      case 'GET notifications':
        return [200, this.inbox.list(url.searchParams.get('page_token') ?? '')];
      case 'POST notifications:markRead':
        this.inbox.markRead(body as ReadMarks);
        return [204];
      default:
        throw new Refusal(404, 'NOT_FOUND');
    }
  }

  #session(authorization: string | null): [status: number, body: unknown] {
    const bytes = Uint8Array.from(atob(authorization?.replace('Basic ', '') ?? ''), (each) => each.charCodeAt(0));
    const [user = '', password] = new TextDecoder().decode(bytes).split(':');
    if (authorization) this.isSignedIn = password === this.password;
    if (!this.isSignedIn) throw new Refusal(401, 'UNAUTHENTICATED');
    if (authorization) {
      this.user = user;
      this.#sessionStoredAt = performance.now() + this.storesSessionAfterMs;
    }
    return [200, { user: this.user }];
  }

  #rejectUnknownCookie({ headers }: Received): void {
    const isUnknown = performance.now() < this.#sessionStoredAt;
    if (isUnknown && !headers.has('Authorization')) throw new Refusal(401, 'UNAUTHENTICATED');
  }
}

function quietStream(): Response {
  return new Response(new ReadableStream(), { headers: { 'Content-Type': 'text/event-stream' } });
}

function queryOf({ searchParams }: URL): TaskQuery {
  const all = (name: string) => searchParams.getAll(name);
  return {
    ...Object.fromEntries(searchParams),
    page_size: Number(searchParams.get('page_size')),
    statuses: all('statuses'),
    priorities: all('priorities'),
    labels: all('labels'),
    show_deleted: searchParams.get('show_deleted') === 'true',
  } as TaskQuery;
}

function abortOf(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason as Error);
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
  });
}
