import { listTasks, type Task, type TaskQuery } from '#lib/api/tasks.ts';
import type { TaskCache } from './cache.svelte';
import { matcher } from '#lib/filters/filters.ts';
import { compare, placeOf, type Place } from '#lib/filters/order.ts';

const PAGE_SIZE = 50;
const PAGE_SIZE_MAX = 200;
const SHORT_PAGES_MAX = 10; // a page can be empty without being the last

type Fetch = typeof listTasks;

/**
 * A list of tasks that is loaded page by page and updated by live events.
 *
 * The shown tasks are derived: those in the cache that match the query, up to the end of the loaded pages. So it is
 * enough to put an event into the cache.
 */
export class TaskList {
  /** The tasks, in order. */
  readonly tasks = $derived.by(() => this.#visible());
  /** Whether a page is being loaded. */
  isLoading = $state(false);
  /** Whether the first page is loaded. */
  isLoaded = $state(false);
  /** The error of the last load, if it failed. */
  error = $state<unknown>();

  #query = $state.raw<TaskQuery>({});
  readonly #matches = $derived(matcher(this.#query));
  readonly #cache: TaskCache;
  readonly #fetch: Fetch;
  #next = $state<string>(); // the token of the next page; empty after the last one
  #read: Place | undefined; // the end of the pages of the current load
  #end = $state.raw<Place>(); // the furthest end so far: tasks up to here are shown
  #cancel = new AbortController();

  constructor(cache: TaskCache, query: TaskQuery, fetch: Fetch = listTasks) {
    this.#cache = cache;
    this.#query = query;
    this.#fetch = fetch;
  }

  /** Whether there are more pages. */
  get hasMore(): boolean {
    return this.#next !== '';
  }

  /** Load the next page. A failure is stored in `error`; the next call retries. */
  async loadMore(): Promise<void> {
    if (this.isLoading || !this.hasMore) return;
    await this.#load(async (signal) => {
      for (let i = 0; i < SHORT_PAGES_MAX && this.hasMore; i++) {
        if (await this.#loadPage(PAGE_SIZE, signal)) return;
      }
    });
  }

  /** Retry the last load if it failed. */
  async retry(): Promise<void> {
    if (this.error) await this.loadMore();
  }

  /** Reload everything that was loaded before, and drop tasks that no longer exist. */
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

  /** Change the query, because time has passed. The tasks stay until the new ones are loaded. */
  async ask(query: TaskQuery): Promise<void> {
    if (JSON.stringify(query) === JSON.stringify(this.#query)) return;
    this.#query = query;
    await this.reload();
  }

  /** Cancel the current load. */
  close(): void {
    this.#cancel.abort();
    this.#cancel = new AbortController();
    this.isLoading = false;
  }

  get #order() {
    return this.#query.order_by ?? 'create_time desc';
  }

  #visible(): readonly Task[] {
    if (!this.isLoaded) return [];
    return this.#cache.all
      .filter(this.#matches)
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

  /** Load one page. Return whether it contains tasks. */
  async #loadPage(size: number, signal: AbortSignal): Promise<boolean> {
    const expected = this.#expected();
    const page = await this.#fetch({ ...this.#query, page_size: size, page_token: this.#next ?? '' }, signal);
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

  /** Return the known tasks that the next pages should contain. Tasks with pending changes are left out. */
  #expected(): Task[] {
    return this.#cache.all
      .filter((task) => task.revision > 0 && this.#cache.confirmed(task.id) === task)
      .filter((task) => this.#matches(task) && !this.#isRead(placeOf(task, this.#order)));
  }

  /** Drop expected tasks that the page did not contain, unless they were updated in the meantime. */
  #drop(expected: readonly Task[], found: ReadonlySet<string>): void {
    for (const task of expected) {
      const isCovered = !this.hasMore || this.#isRead(placeOf(task, this.#order));
      if (isCovered && !found.has(task.id) && this.#cache.get(task.id) === task) this.#cache.drop(task.id);
    }
  }
}
