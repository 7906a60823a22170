import { listTasks, type Task, type TaskQuery } from '#lib/api/tasks.ts';
import type { TaskCache } from './cache.svelte';
import { matches } from '#lib/filters/filters.ts';
import { compare, placeOf, type Place } from '#lib/filters/order.ts';

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
  #read: Place | undefined; // how far the pages have come
  #end = $state.raw<Place>(); // how far they ever came, and the tasks are shown
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

  /** Tries again what failed, if anything did. */
  async retry(): Promise<void> {
    if (this.error) await this.loadMore();
  }

  /** Loads again what was loaded before; what is no longer there goes. */
  async reload(): Promise<void> {
    this.close();
    const end = this.#end;
    const size = Math.min(Math.max(this.tasks.length, PAGE_SIZE), PAGE_SIZE_MAX);
    this.#next = this.#read = undefined;
    await this.#load(async (signal) => {
      do await this.#loadPage(size, signal);
      while (this.hasMore && end && !this.#isRead(end));
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

  #isRead(place: Place): boolean {
    return this.#read !== undefined && compare(place, this.#read, this.#order) <= 0;
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

  /** Tells whether the page has any tasks. */
  async #loadPage(size: number, signal: AbortSignal): Promise<boolean> {
    const expected = this.#expected();
    const page = await this.#fetch({ ...this.query, page_size: size, page_token: this.#next ?? '' }, signal);
    signal.throwIfAborted();
    this.#cache.put(...page.tasks);
    const last = page.tasks.at(-1);
    if (last) this.#read = placeOf(last, this.#order);
    if (!this.#end || this.#isRead(this.#end)) this.#end = this.#read;
    this.#next = page.next_page_token;
    this.isLoaded = true;
    this.#drop(expected, new Set(page.tasks.map(({ id }) => id)));
    return last !== undefined;
  }

  /** The tasks that are to come, as far as is known; of those that are being changed, nobody knows. */
  #expected(): Task[] {
    return this.#cache.all
      .filter((task) => task.revision > 0 && this.#cache.confirmed(task.id) === task)
      .filter((task) => matches(task, this.query) && !this.#isRead(placeOf(task, this.#order)));
  }

  /** Drops what should have come and did not, unless something was told of it meanwhile. */
  #drop(expected: readonly Task[], found: ReadonlySet<string>): void {
    for (const task of expected) {
      const isCovered = !this.hasMore || this.#isRead(placeOf(task, this.#order));
      if (isCovered && !found.has(task.id) && this.#cache.get(task.id) === task) this.#cache.drop(task.id);
    }
  }
}
