import { listTasks, type Task, type TaskQuery } from '#lib/api/tasks.ts';
import type { TaskCache } from './cache.svelte';
import { matches } from './filters';
import { compare, placeOf, type Place } from './order';

const PAGE_SIZE = 50;
const PAGE_SIZE_MAX = 200;
const SHORT_PAGES_MAX = 10; // a page may be empty and still not be the last

type Fetch = typeof listTasks;

/**
 * A list of tasks that is loaded page by page and kept right by live events.
 *
 * What is shown is derived: the tasks of the cache that the query would list, as far as the pages have come. So an
 * event needs to be put into the cache and nowhere else.
 */
export class TaskList {
  /** The tasks, in order. */
  readonly tasks = $derived.by(() => this.#visible());
  /** Whether a page is being loaded. */
  isLoading = $state(false);
  /** Whether the first page is there. */
  isLoaded = $state(false);
  /** Why the last page could not be loaded. */
  error = $state<unknown>();

  readonly query: TaskQuery;
  readonly #cache: TaskCache;
  readonly #fetch: Fetch;
  #next = $state<string>(); // the token of the next page; empty after the last one
  #end = $state.raw<Place>(); // how far the pages have come
  #cancel = new AbortController();

  constructor(cache: TaskCache, query: TaskQuery, fetch: Fetch = listTasks) {
    this.#cache = cache;
    this.query = query;
    this.#fetch = fetch;
  }

  /** Whether there is more to load. */
  get hasMore(): boolean {
    return this.#next !== '';
  }

  /** Loads the next page; a failure is kept in `error`, and the next call tries again. */
  async loadMore(): Promise<void> {
    if (this.isLoading || !this.hasMore) return;
    await this.#load(async (signal) => {
      for (let i = 0; i < SHORT_PAGES_MAX && this.hasMore; i++) {
        if (await this.#loadPage(PAGE_SIZE, signal)) return;
      }
    });
  }

  /** Loads again what was loaded before; what is no longer there goes. */
  async reload(): Promise<void> {
    this.close();
    const end = this.#end;
    const before = new Map(this.tasks.map((task) => [task.id, task.revision]));
    const size = Math.min(Math.max(before.size, PAGE_SIZE), PAGE_SIZE_MAX);
    this.#next = undefined;
    await this.#load(async (signal) => {
      const found = new Set<string>();
      do {
        const page = await this.#loadPage(size, signal);
        page?.forEach((task) => found.add(task.id));
      } while (this.hasMore && end && this.#end && compare(this.#end, end, this.#order) < 0);
      for (const [id, revision] of before) {
        const isCovered = !this.hasMore || this.#isWithin(id);
        if (isCovered && !found.has(id) && this.#cache.confirmed(id)?.revision === revision) this.#cache.drop(id);
      }
    });
  }

  /** Stops what is being loaded. */
  close(): void {
    this.#cancel.abort();
    this.#cancel = new AbortController();
    this.isLoading = false;
  }

  get #order() {
    return this.query.order_by ?? 'create_time desc';
  }

  #visible(): readonly Task[] {
    return this.#cache.all
      .filter((task) => matches(task, this.query))
      .map((task) => ({ task, place: placeOf(task, this.#order) }))
      .filter(({ place }) => this.#isShown(place))
      .sort((a, b) => compare(a.place, b.place, this.#order))
      .map(({ task }) => task);
  }

  #isShown(place: Place): boolean {
    return !this.hasMore || (this.#end !== undefined && compare(place, this.#end, this.#order) <= 0);
  }

  #isWithin(id: string): boolean {
    const task = this.#cache.get(id);
    return task !== undefined && this.#isShown(placeOf(task, this.#order));
  }

  async #load(pages: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#cancel;
    this.isLoading = true;
    this.error = undefined;
    try {
      await pages(signal);
    } catch (error) {
      if (!signal.aborted) this.error = error;
    } finally {
      if (!signal.aborted) this.isLoading = false;
    }
  }

  /** Returns the tasks of the page, or nothing when it has none. */
  async #loadPage(size: number, signal: AbortSignal): Promise<readonly Task[] | undefined> {
    const page = await this.#fetch({ ...this.query, page_size: size, page_token: this.#next ?? '' }, signal);
    signal.throwIfAborted();
    this.#cache.put(...page.tasks);
    const last = page.tasks.at(-1);
    if (last) this.#end = placeOf(last, this.#order);
    this.#next = page.next_page_token;
    this.isLoaded = true;
    return last && page.tasks;
  }
}
