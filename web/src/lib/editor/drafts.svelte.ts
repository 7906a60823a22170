import { untrack } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import type { Task } from '#lib/api/tasks.ts';
import { differences, EMPTY, type Typed } from '#lib/tasks/changes.ts';

/** Unsaved edits of a task, and the version of the task that they are based on. */
export interface Draft {
  seen: Task;
  content: Typed;
}

interface Stored {
  user: string;
  edits: [id: string, draft: Draft][];
  created: Typed;
}

const KEY = 'drafts';

/** What one user has typed and not saved. It survives a reload, and ends with the tab or with an explicit sign-out. */
export class Drafts {
  readonly #edits = new SvelteMap<string, Draft>();
  #created = EMPTY;
  #user = '';

  /** The content of the form for a new task. */
  get created(): Typed {
    return this.#created;
  }

  set created(content: Typed) {
    this.#created = content;
    this.#store();
  }

  /** Return the unsaved edits of a task. */
  get(id: string): Draft | undefined {
    return this.#edits.get(id);
  }

  /** Store the edits of a task; without a difference to the task, there are none. */
  set(draft: Draft): void {
    if (differences(draft.seen, draft.content).length || draft.content.typedLabel)
      this.#edits.set(draft.seen.id, draft);
    else this.#edits.delete(draft.seen.id);
    this.#store();
  }

  /** Discard the edits of a task. */
  delete(id: string): void {
    this.#edits.delete(id);
    this.#store();
  }

  /** Load the drafts of this user, and discard those of any other. */
  load(user: string): void {
    const stored = read();
    const own = stored?.user === user ? stored : undefined;
    this.#user = user;
    this.#edits.clear();
    // An earlier version of the page may have stored fewer fields.
    for (const [id, { seen, content }] of own?.edits ?? [])
      this.#edits.set(id, { seen, content: { ...EMPTY, ...content } });
    this.#created = { ...EMPTY, ...own?.created };
    this.#store();
  }

  #store(): void {
    const edits = untrack(() => [...this.#edits]);
    const stored: Stored = { user: this.#user, edits, created: this.#created };
    try {
      if (this.#user) sessionStorage.setItem(KEY, JSON.stringify(stored));
      else sessionStorage.removeItem(KEY);
    } catch {
      // Without storage, drafts survive everything but a reload.
    }
  }
}

function read(): Stored | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}
