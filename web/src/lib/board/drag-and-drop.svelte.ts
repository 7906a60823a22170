import type { Attachment } from 'svelte/attachments';
import type { Task, TaskStatus } from '#lib/api/tasks.ts';

/** The task being dragged; columns use it to highlight possible targets. */
class DragState {
  task = $state.raw<Task>();
}

export const drag = new DragState();

/** Make an element draggable together with its task. */
export function draggable(task: Task): Attachment<HTMLElement> {
  return (element) => {
    const start = (event: DragEvent) => {
      event.dataTransfer?.setData('text/plain', task.title);
      if (event.dataTransfer) event.dataTransfer.effectAllowed = 'move';
      drag.task = task;
    };
    const end = () => (drag.task = undefined);
    element.addEventListener('dragstart', start);
    element.addEventListener('dragend', end);
    return () => {
      element.removeEventListener('dragstart', start);
      element.removeEventListener('dragend', end);
    };
  };
}

/** Let an element accept tasks of another status. */
export function dropTarget(status: TaskStatus, drop: (task: Task) => void): Attachment<HTMLElement> {
  return (element) => {
    const over = (event: DragEvent) => {
      if (!drag.task || drag.task.status === status) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = 'move';
    };
    const take = (event: DragEvent) => {
      if (!drag.task) return;
      event.preventDefault();
      drop(drag.task);
      drag.task = undefined;
    };
    element.addEventListener('dragover', over);
    element.addEventListener('drop', take);
    return () => {
      element.removeEventListener('dragover', over);
      element.removeEventListener('drop', take);
    };
  };
}
