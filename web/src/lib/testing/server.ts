import { vi } from 'vitest';
import type { ReadMarks } from '#lib/api/generated/index.ts';
import type { NewTask, TaskPatch, TaskQuery } from '#lib/api/tasks.ts';
import { FakeInbox } from './inbox';
import { Refusal } from './refusal';
import { FakeTasks } from './tasks';

/** A request as the server sees it. */
export interface Received {
  method: string;
  url: URL;
  headers: Headers;
  body: unknown;
}

/** A request that is held back, or its answer. */
interface Held {
  /** Fulfilled when the server has the request. */
  arrived: Promise<unknown>;
  release: () => void;
}

/** What becomes of one request; `answer` does what it asks for. */
type Fate = (answer: () => Response, request: Received) => Response | Promise<Response>;

/** Everything that is behind the gateway, in memory, and its own lossy line to it: `fetch` is the page's only way in. */
export class FakeServer {
  readonly tasks = new FakeTasks();
  readonly inbox = new FakeInbox();
  /** Everything that was asked of it, in order. */
  readonly received: Received[] = [];
  user = 'ann';
  password = 'secret';
  isSignedIn = true;
  /** How long after a login its cookie is still unknown. */
  storesSessionAfterMs = 0;
  #sessionStoredAt = -Infinity;
  readonly #fates: { method: string; fate: Fate }[] = [];

  /** Answers all that is fetched, until the test is over. */
  static start(): FakeServer {
    const server = new FakeServer();
    vi.stubGlobal('fetch', (path: string, init: RequestInit) => server.#fetch(path, init));
    return server;
  }

  /** The requests of this method that came so far. */
  asked(method: string): Received[] {
    return this.received.filter((each) => each.method === method);
  }

  /** Has the next request of this method meet its fate; those that are said first come first. */
  next(method: string, fate: Fate): void {
    this.#fates.push({ method, fate });
  }

  /** Refuses the next request of this method, and does not do what it asks for. */
  refuse(method: string, refusal: Refusal): void {
    this.next(method, () => refusal.response);
  }

  /** The next request of this method does not arrive. */
  cutOff(method: string): void {
    this.next(method, () => Promise.reject(new TypeError('Failed to fetch')));
  }

  /** Does what the next request of this method asks for, but its answer is lost. */
  loseAnswer(method: string): void {
    this.next(method, (answer) => {
      answer();
      throw new TypeError('Failed to fetch');
    });
  }

  /** Does what the next request of this method asks for, and holds its answer back. */
  holdAnswer(method: string): Held {
    return this.#hold(method, (answer, until) => {
      const response = answer();
      return until.then(() => response);
    });
  }

  /** Holds back the next request of this method. */
  holdRequest(method: string): Held {
    return this.#hold(method, (answer, until) => until.then(answer));
  }

  #hold(method: string, fate: (answer: () => Response, until: Promise<unknown>) => Promise<Response>): Held {
    const [arrival, until] = [Promise.withResolvers<unknown>(), Promise.withResolvers<unknown>()];
    this.next(method, (answer) => {
      const response = fate(answer, until.promise);
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
    await Promise.resolve(); // no network answers before fetch returns
    this.received.push(request);
    const index = this.#fates.findIndex(({ method }) => method === request.method);
    const fate = index < 0 ? undefined : this.#fates.splice(index, 1)[0]?.fate;
    const answer = () => this.#answer(request);
    const response = fate ? fate(answer, request) : answer();
    return Promise.race([response, abortOf(init.signal)]);
  }

  #answer(request: Received): Response {
    try {
      this.#refuseUnknownCookie(request);
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

  #refuseUnknownCookie({ headers }: Received): void {
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
