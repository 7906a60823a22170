import type { Attachment } from 'svelte/attachments';
import type { Task, TaskStatus } from '#lib/api/tasks.ts';

const TYPE = 'application/x-taskmesh-task';

/** The task being dragged; columns use it to highlight possible targets. */
class DragState {
  task = $state.raw<Task>();
  /** The dragged element. */
  source: HTMLElement | undefined;

  begin(task: Task, source: HTMLElement): void {
    this.task = task;
    this.source = source;
  }

  end(): void {
    this.task = this.source = undefined;
  }
}

export const drag = new DragState();

/** Make an element draggable together with its task. */
export function draggable(task: () => Task): Attachment<HTMLElement> {
  return (element) => {
    const start = (event: DragEvent) => {
      const { id, title } = task();
      event.dataTransfer?.setData('text/plain', title);
      event.dataTransfer?.setData(TYPE, id);
      if (event.dataTransfer) event.dataTransfer.effectAllowed = 'move';
      drag.begin(task(), element);
    };
    const end = () => drag.end();
    element.addEventListener('dragstart', start);
    element.addEventListener('dragend', end);
    return () => {
      element.removeEventListener('dragstart', start);
      element.removeEventListener('dragend', end);
      if (drag.source === element) drag.end(); // a removed element gets no dragend
    };
  };
}

/** Let an element accept tasks of another status. */
export function dropTarget(status: TaskStatus, drop: (task: Task) => void): Attachment<HTMLElement> {
  return (element) => {
    const over = (event: DragEvent) => {
      if (!drag.task || drag.task.status === status || !event.dataTransfer?.types.includes(TYPE)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'move';
    };
    const take = (event: DragEvent) => {
      const { task } = drag;
      if (!task || event.dataTransfer?.getData(TYPE) !== task.id) return;
      event.preventDefault();
      drag.end();
      drop(task);
    };
    element.addEventListener('dragover', over);
    element.addEventListener('drop', take);
    return () => {
      element.removeEventListener('dragover', over);
      element.removeEventListener('drop', take);
    };
  };
}
