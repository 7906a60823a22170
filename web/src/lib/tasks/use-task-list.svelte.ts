import { onMount, untrack } from 'svelte';
import type { TaskQuery } from '#lib/api/tasks.ts';
import type { App } from '#lib/shell/app.svelte.ts';
import { TaskList } from './list.svelte';

/** Return a list that lives as long as the component. It reloads when live events may have been missed. */
export function useTaskList(app: App, query: () => TaskQuery): TaskList {
  const list = new TaskList(app.tasks.cache, untrack(query));
  $effect(() => {
    const current = query();
    untrack(() => void list.ask(current));
  });
  onMount(() => {
    app.lists.add(list);
    void list.loadMore();
    const forget = app.live.on('reset', () => void list.reload());
    return () => {
      forget();
      app.lists.delete(list);
      list.close();
    };
  });
  return list;
}
